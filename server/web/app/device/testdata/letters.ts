// What the Go tests call of cards, letters, recovery sheets, sealed acts and the store.

import { generate } from "./record";
import { base64, hex, random, unbase64, unhex } from "../bytes";
import { boxOf, formatCode, fromOf, newCode, parseCode } from "../card";
import { inboxBox, openFromCard, openFromInbox, sealToCard, sealToInbox, type Card, type FromSite, type Signed } from "../mail";
import { decodeMaster, encodeMaster, SheetError } from "../recovery";
import { Store } from "../store";
import { importKeyPair } from "../../seal";

export const newCodes = (n: number): string[] => Array.from({ length: n }, newCode);
export const card = async (text: string) => {
  const code = parseCode(text);
  return { code, format: formatCode(code), box: await boxOf(code), from: await fromOf(code) };
};
export const cardLetter = async (code: string, words: Card | FromSite): Promise<string> => base64(await sealToCard(code, words));
export const openCard = (code: string, letter: string) => openFromCard(code, unbase64(letter, "letter"));
export const inboxName = (key: string): Promise<string> => inboxBox(unbase64(key, "key"));
export const inboxLetter = async (key: string, words: Signed): Promise<string> => base64(await sealToInbox(unbase64(key, "key"), words));
export const openInbox = async (secret: string, key: string, letter: string) => {
  const pair = await importKeyPair(unbase64(secret, "secret"), unbase64(key, "key"), false);
  return openFromInbox(pair, unbase64(letter, "letter"));
};

export const sheet = (master: string): Promise<string[]> => encodeMaster(unhex(master, 32, "master"));
export const readSheet = async (text: string): Promise<{ master: string; group: number; error: string }> => {
  try {
    return { master: hex(await decodeMaster(text)), group: 0, error: "" };
  } catch (e) {
    return { master: "", group: e instanceof SheetError ? e.group : -1, error: (e as Error).message };
  }
};

// stored writes a study, an act and a draft, opens the store again, and returns
// what came back beside every byte and text that the database holds.
export const stored = async (): Promise<{ same: boolean; words: string[]; raw: string; plain: string[]; extractable: boolean }> => {
  const { study, act, draft } = generate(hex(random(16)));
  const s = await Store.open("trialith-test");
  await s.keep(study);
  await s.keepOutgoing(act);
  await s.keepDraft(study.id, draft);
  s.close();
  const t = await Store.open("trialith-test");
  const back = { study: await t.study(study.id), act: (await t.outgoing())[0], draft: await t.draft(study.id) };
  const same = JSON.stringify(back) === JSON.stringify({ study, act, draft });
  const held = await everything("trialith-test");
  t.close();
  const words = [study.master, study.trial, study.study, study.contact, study.card, act.body, act.account, act.salt!, "results", study.id];
  return { same, words, ...held };
};

async function everything(name: string): Promise<{ raw: string; plain: string[]; extractable: boolean }> {
  const db = await new Promise<IDBDatabase>((resolve) => {
    const r = indexedDB.open(name);
    r.onsuccess = () => resolve(r.result);
  });
  const plain: string[] = [];
  let raw = "";
  let extractable = false;
  for (const table of db.objectStoreNames) {
    const [keys, values] = await Promise.all([all(db, table, "getAllKeys"), all(db, table, "getAll")]);
    plain.push(...keys.map(String));
    for (const v of values) {
      if (v instanceof CryptoKey) {
        extractable ||= v.extractable;
        continue;
      }
      for (const part of Object.values(v as Record<string, unknown>)) {
        if (part instanceof Uint8Array) {
          raw += hex(part) + " ";
        } else {
          plain.push(String(part));
        }
      }
    }
  }
  db.close();
  return { raw, plain, extractable };
}

function all(db: IDBDatabase, table: string, how: "getAll" | "getAllKeys"): Promise<unknown[]> {
  return new Promise((resolve) => {
    const r = db.transaction(table).objectStore(table)[how]() as IDBRequest<unknown[]>;
    r.onsuccess = () => resolve(r.result);
  });
}

// guarded is six changes of one study at once by two pages, a record moved to
// another's place, and a study forgotten.
export const guarded = async (): Promise<{ read: number; moved: string; left: number }> => {
  const [a, b] = [await Store.open("trialith-guarded"), await Store.open("trialith-guarded")];
  const { study, act } = generate(hex(random(16)));
  const other = generate(hex(random(16)));
  await a.keep(study);
  await Promise.all([1, 2, 3, 4, 5, 6].map((i) => (i % 2 ? a : b).change(study.id, (p) => { p.read += i; })));
  const { read } = await a.study(study.id);
  await a.keep(other.study);
  await swap("trialith-guarded", study.id, other.study.id);
  const moved = await a.study(other.study.id).then(() => "opens", (e: Error) => e.message);
  await a.keepOutgoing(act);
  await a.keep(study);
  await a.keepDraft(study.id, { at: 1 });
  await a.forget(study.id);
  const left = (await a.outgoing()).length + ((await a.draft(study.id)) ? 1 : 0);
  a.close();
  b.close();
  return { read, moved, left };
};

async function swap(name: string, from: string, to: string): Promise<void> {
  const db = await new Promise<IDBDatabase>((resolve) => {
    const r = indexedDB.open(name);
    r.onsuccess = () => resolve(r.result);
  });
  await new Promise<void>((resolve) => {
    const t = db.transaction("studies", "readwrite");
    const s = t.objectStore("studies");
    const r = s.get(from);
    r.onsuccess = () => s.put(r.result, to);
    t.oncomplete = () => resolve();
  });
  db.close();
}
