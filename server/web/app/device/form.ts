// Consent forms: their digest, which a consent names, and the choice on one of
// them, which it only commits to.

import { hex, type Name } from "./bytes";
import { encode } from "./cbor";
import { sum } from "./hash";

/** Choice is what an option commitment hides: which form was shown, in which language, and which options were taken. */
export interface Choice {
  readonly form: string;
  readonly language: string;
  readonly taken: readonly string[]; // option ids, in the order of the form
}

/** commit makes H("commit", kind, salt, bytes). The salt is as secret as what it hides. */
export async function commit(kind: string, salt: Uint8Array, content: Uint8Array): Promise<Name> {
  return hex(await sum("commit", kind, salt, content));
}

/** commitChoice commits to a choice. */
export function commitChoice(c: Choice, salt: Uint8Array): Promise<Name> {
  return commit("options", salt, encode([c.form, c.language, c.taken]));
}

/** Form is a consent form in one language, as a version's protocol has it. */
export interface Form {
  readonly id: string;
  readonly language: string; // BCP 47
  readonly title: string;
  readonly sections: readonly { readonly heading: string; readonly text: string }[];
  readonly options: readonly { readonly id: string; readonly text: string }[];
  readonly questions: readonly Question[];
  readonly example: boolean; // written for demonstration, not by the sponsor
}

/** Question is asked on a form before consent. Its answers stay on the device. */
export interface Question {
  readonly id: string;
  readonly text: string;
  readonly answers: readonly string[];
  readonly right: number; // index of the right answer
  readonly why: string; // what is told after an answer
}

/** formSet is the digest of all forms of a version: what a consent agrees to. */
export async function formSet(forms: readonly Form[]): Promise<Name> {
  return hex(await sum("form", forms.map((f) => [
    f.id, f.language, f.title, f.sections.map((s) => [s.heading, s.text]), f.options.map((o) => [o.id, o.text]),
    f.questions.map((q) => [q.id, q.text, q.answers, q.right, q.why]), f.example,
  ])));
}
