// What is public about a study, as the interface for programs tells it. The
// answers are the same for everybody: nothing here names a person.

import { AgentError } from "./agent";

export interface Section { heading: string; text: string }
export interface Option { id: string; text: string }
export interface Question { id: string; text: string; answers: string[]; right: number; why: string }
export interface Form {
  id: string; language: string; title: string; sections: Section[]; options: Option[]; questions?: Question[]; example: boolean;
}
export interface Visit { id: string; name: string; timing: string; dose: boolean; repeatable: boolean }
export interface Protocol { public_title: string; title: string; sponsor: string; payment: string; forms: Form[]; visits: Visit[] }
export interface Change { class: string; field: string; before: string; after: string }
export interface Version { version: number; effective: string; reason: string; existing: boolean; protocol: Protocol; changes: Change[] | null }
export interface Results { label: string; due?: string; stage: number; package_cid: string }

export class Study {
  private versions = new Map<number, Promise<Version>>();

  constructor(readonly trial: string) {}

  version(number: number): Promise<Version> {
    let v = this.versions.get(number);
    if (!v) {
      v = read<Version>(`/v1/trials/${this.trial}/versions/${number}`);
      v.catch(() => this.versions.delete(number)); // asked again when it is needed again
      this.versions.set(number, v);
    }
    return v;
  }

  results(): Promise<Results> { return read(`/v1/trials/${this.trial}/results`); }
}

/** The title that was written for everyone, where there is one. */
export function titleOf(p: Protocol): string {
  return p.public_title || p.title;
}

/** The form in a language, or else the first. */
export function formFor(forms: Form[], language: string, id = ""): Form {
  return forms.find((f) => f.id === id) ?? forms.find((f) => same(f.language, language)) ?? forms[0];
}

function same(a: string, b: string): boolean {
  return a.toLowerCase().split("-")[0] === b.toLowerCase().split("-")[0];
}

async function read<T>(path: string): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, { credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store", headers: { Accept: "application/json" } });
  } catch {
    throw new AgentError("offline");
  }
  if (!answer.ok) throw new AgentError(answer.status === 503 || answer.status === 504 ? "offline" : "internal", `${path}: ${answer.status}`);
  return await answer.json() as T;
}
