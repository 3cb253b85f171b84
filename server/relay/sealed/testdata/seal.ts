// What the tests in Go call in the browser: the functions of seal.ts on hexadecimal text.
import * as seal from "../../../web/app/seal";

const unhex = (s: string) => Uint8Array.from(s.match(/../g) ?? [], (x) => parseInt(x, 16));
const hex = (b: Uint8Array) => Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");

export async function sealTo(publicKey: string, info: string, plain: string, aad: string) {
  return hex(await seal.seal(unhex(publicKey), unhex(info), unhex(plain), unhex(aad)));
}

export async function sealFrom(secret: string, enc: string, publicKey: string, info: string, plain: string, aad: string) {
  const ephemeral = await seal.importKeyPair(unhex(secret), unhex(enc), false);
  return hex(await seal.sealFrom(ephemeral, unhex(publicKey), unhex(info), unhex(plain), unhex(aad)));
}

export async function open(secret: string, publicKey: string, info: string, sealed: string, aad: string) {
  const pair = await seal.importKeyPair(unhex(secret), unhex(publicKey), false);
  return hex(await seal.open(pair.privateKey, pair.publicKey, unhex(info), unhex(sealed), unhex(aad)));
}

export async function newPair() {
  const pair = await seal.newKeyPair(true);
  return [hex(await seal.exportPrivate(pair.privateKey)), hex(pair.publicKey)];
}

export async function closedPair() {
  const pair = await seal.newKeyPair(false);
  try {
    await seal.exportPrivate(pair.privateKey);
    return "exported";
  } catch (e) {
    return (e as Error).name;
  }
}
