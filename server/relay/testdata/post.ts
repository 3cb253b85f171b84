// A page that sends an act through a relay of another origin, as the tests in Go call it.
import { readAnswer, readStatement, sealAct } from "../../web/app/promise";

const unhex = (s: string) => Uint8Array.from(s.match(/../g) ?? [], (x) => parseInt(x, 16));
const quiet = { credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store" } as const;

export async function post(relay: string, ledger: string, actor: string, key: string, now: number, act: string): Promise<string> {
  document.cookie = "session=markedcookie";
  const from = { ledger: unhex(ledger), actor: unhex(actor), key: unhex(key) };
  const address = `${relay}/v1/sealed/${actor}`;
  const statement = await fetch(`${address}/key`, quiet);
  const to = await readStatement(new Uint8Array(await statement.arrayBuffer()), from, now);
  const sealed = await sealAct(to, from, unhex(act));
  const answer = await fetch(address, { ...quiet, method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: sealed });
  return String((await readAnswer(new Uint8Array(await answer.arrayBuffer()), from, sealed)).epoch);
}
