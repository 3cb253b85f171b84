import { ProverError } from "./error";

/** Reads little-endian numbers one after the other. */
export class Reader {
  readonly #view: DataView;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  u16(): number {
    this.at += 2;
    return this.#view.getUint16(this.at - 2, true);
  }

  u32(): number {
    this.at += 4;
    return this.#view.getUint32(this.at - 4, true);
  }

  /** Refuses a file that does not end so many bytes on: its pins and this code are of two versions. */
  expectEnd(name: string, rest = 0): void {
    if (this.at + rest !== this.#view.byteLength) {
      throw new ProverError("internal", `${name}: ${this.#view.byteLength} bytes, and its counts say ${this.at + rest}; load the page again`);
    }
  }
}
