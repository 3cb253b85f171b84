// What a node answers in JSON, read field by field: a field of another type than
// it must have is an error that names it, and never goes further.

import { DeviceError } from "./error";
import { type Name } from "./bytes";

/** Shape is one JSON value and the place that it was read from. */
export class Shape {
  constructor(private readonly value: unknown, private readonly at: string) {}

  /** text is a text; "" where it is left out. */
  text(field: string): string {
    const v = this.field(field) ?? "";
    return typeof v === "string" ? v : this.wrong(field, "no text");
  }

  /** oneOf is a text out of the given ones. */
  oneOf<T extends string>(field: string, allowed: readonly T[]): T {
    const v = this.text(field);
    return allowed.find((x) => x === v) ?? this.wrong(field, `${JSON.stringify(v)} is none of ${allowed.join(", ")}`);
  }

  /** name is 64 lower-case hexadecimal digits. */
  name(field: string): Name {
    const v = this.text(field);
    return /^[0-9a-f]{64}$/.test(v) ? v : this.wrong(field, "not 64 lower-case hexadecimal digits");
  }

  /** count is a whole number from 0. */
  count(field: string): number {
    const v = this.field(field) ?? 0;
    return typeof v === "number" && Number.isSafeInteger(v) && v >= 0 ? v : this.wrong(field, "no whole number");
  }

  /** flag is true or false; false where it is left out. */
  flag(field: string): boolean {
    const v = this.field(field) ?? false;
    return typeof v === "boolean" ? v : this.wrong(field, "neither true nor false");
  }

  /** time is an RFC 3339 time in milliseconds since 1970; 0 where it is left out. */
  time(field: string): number {
    const v = this.text(field);
    if (v === "") {
      return 0;
    }
    const t = Date.parse(v);
    return Number.isNaN(t) ? this.wrong(field, "no time") : t;
  }

  /** part is an object in the object. */
  part(field: string): Shape {
    const v = this.field(field);
    return typeof v === "object" && v !== null ? new Shape(v, `${this.at}: ${field}`) : this.wrong(field, "no object");
  }

  /** list reads each element of an array; an array that is left out or null is empty. */
  list<T>(field: string, read: (s: Shape) => T): T[] {
    return new Shape(this.field(field) ?? [], `${this.at}: ${field}`).each(read);
  }

  /** each reads the elements of the value itself, which is an array. */
  each<T>(read: (s: Shape) => T): T[] {
    const v = this.value ?? [];
    return Array.isArray(v) ? v.map((x, i) => read(new Shape(x, `${this.at}[${i}]`))) : this.wrong("", "no array");
  }

  /** texts is an array of texts. */
  texts(field: string): string[] {
    return this.list(field, (s) => (typeof s.value === "string" ? s.value : s.wrong("", "no text")));
  }

  private field(field: string): unknown {
    const v = this.value;
    if (typeof v !== "object" || v === null || Array.isArray(v)) {
      return this.wrong(field, "not in an object");
    }
    return Object.hasOwn(v, field) ? (v as Record<string, unknown>)[field] : undefined;
  }

  private wrong(field: string, why: string): never {
    throw new DeviceError("answer", `${this.at}${field ? `: ${field}` : ""}: ${why}`);
  }
}
