// What this computer keeps for a site: the keys of its people, the key of its
// inbox, and its tables. All of it is one file, sealed before it is stored, and
// a backup is that file as it stands.
//
// A passphrase makes a key by PBKDF2; that opens the person's signing key and
// the file's data key. So each of the site's people opens the tables with a
// passphrase of their own, and can sign as nobody but themselves.

import { base64, hex, random, unbase64, unhex, utf8, type Bytes, type Name } from "../device/bytes";
import { exportPrivate, importKeyPair, newKeyPair, type KeyPair } from "../seal";
import { Signer } from "./sign";

const iterations = 600_000; // OWASP's for PBKDF2-HMAC-SHA256
const format = "trialith-site/1";

/** The shortest passphrase that is taken. */
export const shortest = 12;

interface Sealed { iv: string; data: string }

interface Person { name: string; key: Name; salt: string; seed: Sealed; open: Sealed }

/** The file, as it is stored and backed up: nothing in it is readable but the names of its people and their public keys. */
export interface SiteFile { format: string; people: Person[]; body: Sealed }

/** SafeError says what to do about a key, a passphrase or a file. */
export class SafeError extends Error {
  override name = "SafeError";
  constructor(readonly code: "passphrase" | "key" | "file" | "twice" | "unsupported" | "unkept", options?: ErrorOptions) { super(code, options); }
}

/** Who is on this computer's list, before anything is opened. */
export interface Listed { name: string; key: Name }

async function stretched(passphrase: string, salt: Bytes): Promise<CryptoKey> {
  const raw = await crypto.subtle.importKey("raw", utf8(passphrase.normalize("NFKC")), "PBKDF2", false, ["deriveKey"]);
  return crypto.subtle.deriveKey({ name: "PBKDF2", hash: "SHA-256", salt, iterations }, raw, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

async function lock(key: CryptoKey, what: string, plain: Bytes): Promise<Sealed> {
  const iv = random(12);
  const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: utf8(`${format}/${what}`) }, key, plain);
  return { iv: base64(iv), data: base64(new Uint8Array(data)) };
}

async function unlock(key: CryptoKey, what: string, s: Sealed): Promise<Bytes> {
  const iv = unbase64(s.iv, what);
  const data = await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: utf8(`${format}/${what}`) }, key, unbase64(s.data, what));
  return new Uint8Array(data);
}

function dataKey(raw: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** A seed as a key file has it: 64 hex digits, in any case, white space around. */
export function readSeed(text: string): Bytes {
  try {
    return unhex(text.trim().toLowerCase(), 32, "key");
  } catch {
    throw new SafeError("key");
  }
}

/** Safe is the file, opened by one person, with its tables in memory. */
export class Safe<T> {
  private constructor(private file: SiteFile, private raw: Bytes, private key: CryptoKey, public tables: T,
    readonly inbox: KeyPair, readonly signer: Signer, readonly holder: Listed) {}

  /** Makes a new file with its first person. */
  static async create<T>(name: string, seed: Bytes, passphrase: string, tables: T): Promise<Safe<T>> {
    const raw = random(32), key = await dataKey(raw), pair = await newKeyPair(true);
    const secret = await exportPrivate(pair.privateKey);
    const inbox = await importKeyPair(secret, pair.publicKey, false);
    const file: SiteFile = { format, people: [], body: { iv: "", data: "" } };
    const signer = await Signer.of(seed);
    const safe = new Safe(file, raw, key, tables, inbox, signer, { name, key: signer.publicName });
    safe.secret = base64(secret);
    await safe.add(name, seed, passphrase);
    return safe;
  }

  private secret = "";

  /** Opens a file with one person's passphrase. */
  static async open<T>(file: SiteFile, person: Name, passphrase: string): Promise<Safe<T>> {
    const p = file.people.find((x) => x.key === person);
    if (!p) throw new SafeError("file");
    const { seed, raw } = await opened(p, passphrase);
    const key = await dataKey(raw);
    let body: { secret: string; inbox: string; tables: T };
    try {
      body = JSON.parse(new TextDecoder().decode(await unlock(key, "body", file.body)));
    } catch {
      throw new SafeError("file");
    }
    const inbox = await importKeyPair(unbase64(body.secret, "inbox"), unbase64(body.inbox, "inbox"), false);
    const safe = new Safe(file, raw, key, body.tables, inbox, await Signer.of(seed), { name: p.name, key: p.key });
    safe.secret = body.secret;
    return safe;
  }

  get people(): Listed[] { return this.file.people.map(({ name, key }) => ({ name, key })); }

  /** Puts another person on the list, with a key and passphrase of their own. */
  async add(name: string, seed: Bytes, passphrase: string): Promise<Signer> {
    const signer = await Signer.of(seed);
    if (this.file.people.some((p) => p.key === signer.publicName)) throw new SafeError("twice");
    if ([...passphrase].length < shortest) throw new SafeError("passphrase");
    const salt = random(16), key = await stretched(passphrase, salt);
    const person: Person = {
      name, key: signer.publicName, salt: base64(salt), seed: await lock(key, "seed", seed), open: await lock(key, "open", this.raw),
    };
    this.file = { ...this.file, people: [...this.file.people, person] };
    await this.save();
    return signer;
  }

  /** The signing key of another person here, who types a passphrase for this one use. */
  async other(person: Name, passphrase: string): Promise<Signer> {
    const p = this.file.people.find((x) => x.key === person);
    if (!p) throw new SafeError("file");
    return Signer.of((await opened(p, passphrase)).seed);
  }

  /** Seals the tables as they are now, and stores the file. */
  async save(): Promise<void> {
    const body = utf8(JSON.stringify({ secret: this.secret, inbox: base64(this.inbox.publicKey), tables: this.tables }));
    this.file = { ...this.file, body: await lock(this.key, "body", body) };
    await store(this.file);
  }

  /** The backup: the file as it is stored. */
  backup(): string { return JSON.stringify(this.file); }
}

async function opened(p: Person, passphrase: string): Promise<{ seed: Bytes; raw: Bytes }> {
  const key = await stretched(passphrase, unbase64(p.salt, "salt"));
  try {
    return { seed: await unlock(key, "seed", p.seed), raw: await unlock(key, "open", p.open) };
  } catch {
    throw new SafeError("passphrase"); // AES-GCM tells a wrong key from the right one
  }
}

/** Reads a backup. Only its form is looked at: what it holds opens with a passphrase or not at all. */
export function readBackup(text: string): SiteFile {
  try {
    const f = JSON.parse(text) as SiteFile;
    const sealed = (s: Sealed) => typeof s.iv === "string" && typeof s.data === "string";
    const person = (p: Person) => typeof p.name === "string" && hex(unhex(p.key, 32, "key")) === p.key && typeof p.salt === "string" && sealed(p.seed) && sealed(p.open);
    if (f.format !== format || f.people.length === 0 || !f.people.every(person) || !sealed(f.body)) throw new SafeError("file");
    return { format: f.format, people: f.people, body: f.body };
  } catch {
    throw new SafeError("file");
  }
}

// One record in a database of its own. Who opens the page twice and writes from
// both would lose a table: the page holds a lock that lasts as long as it does.

function database(): Promise<IDBDatabase> {
  return asked(() => {
    const r = indexedDB.open("trialith-site", 1);
    r.onupgradeneeded = () => r.result.createObjectStore("file");
    return r;
  });
}

function asked<T>(make: () => IDBRequest<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const r = make(); // in some private windows this throws
    r.onsuccess = () => resolve(r.result);
    r.onerror = () => reject(r.error);
  }).catch(unkept);
}

function unkept(e: unknown): never {
  throw new SafeError("unkept", { cause: e });
}

/** The file of this computer, if there is one. */
export async function stored(): Promise<SiteFile | undefined> {
  const db = await database();
  try {
    return await asked<SiteFile | undefined>(() => db.transaction("file").objectStore("file").get("site"));
  } finally {
    db.close();
  }
}

/** Keeps a file in place of the one before; it is on the disk when this returns. */
export async function store(file: SiteFile): Promise<void> {
  const db = await database();
  try {
    await new Promise<void>((resolve, reject) => {
      const t = db.transaction("file", "readwrite", { durability: "strict" });
      t.objectStore("file").put(file, "site");
      t.oncomplete = () => resolve();
      t.onerror = t.onabort = () => reject(t.error);
    }).catch(unkept);
  } finally {
    db.close();
  }
}

/** Whether this is the only page of the site that is open here; the lock is held until the page goes. */
export function alone(): Promise<boolean> {
  if (!("locks" in navigator)) return Promise.resolve(true);
  return new Promise((resolve) => {
    void navigator.locks.request("trialith-site", { ifAvailable: true }, (held) => {
      resolve(held !== null);
      return held === null ? undefined : new Promise(() => {});
    });
  });
}
