// Languages of the interface. A study's own text is never translated here: it is
// an approved document, and stands in its own language.

import { ar } from "./ar";
import { en, type Words } from "./en";
import { es } from "./es";

export type Language = "en" | "es" | "ar";

/** The same texts in another language: every one, with the same arguments. */
export type Shape<T> =
  T extends string ? string :
  T extends (...a: infer A) => string ? (...a: A) => string :
  string extends keyof T ? { readonly [K in keyof T]: Shape<T[K]> } :
  { readonly [K in keyof T]: Shape<T[K]> };

const all: Record<Language, Words> = { en, es, ar };

/** The page's language, as the server wrote it. */
export function language(): Language {
  const lang = document.documentElement.lang;
  return lang === "es" || lang === "ar" ? lang : "en";
}

export function words(l: Language): Words {
  return all[l];
}

/** The form that a number needs; other is for all that have none of their own. */
export function plural(l: string, n: number, forms: Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }): string {
  return forms[new Intl.PluralRules(l).select(n)] ?? forms.other;
}

/** A name within a sentence, of whatever direction it is: neither turns the other around. Codes like 07-0012 would be read backwards after Arabic. */
export function apart(text: string): string {
  return `\u2068${text}\u2069`;
}

// Codes and dates use the same digits in every language, those on cards and sheets.
const locale = (l: Language) => (l === "en" ? "en-GB" : `${l}-u-nu-latn`);

/** A day, from YYYY-MM-DD or RFC 3339, in UTC as the ledger counts. */
export function day(l: Language, text: string): string {
  const at = new Date(text.length === 10 ? text + "T00:00:00Z" : text);
  return Number.isNaN(at.getTime()) ? text : new Intl.DateTimeFormat(locale(l), { dateStyle: "long", timeZone: "UTC" }).format(at);
}

export function percent(l: Language, share: number): string {
  return new Intl.NumberFormat(locale(l), { style: "percent", maximumFractionDigits: 0 }).format(share);
}

/** The name of a language in itself. */
export function languageName(tag: string): string {
  try {
    return new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag; // a form may name a language that the browser does not know
  }
}
