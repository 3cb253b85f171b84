// What others can see, said plainly, and how a message travels here.

import { bullets, heading, para, title } from "../lib/parts";
import { type Screen } from "../lib/screen";
import { type Context } from "./context";

export async function hidden(c: Context, back: string): Promise<Screen> {
  const w = c.w.hidden;
  const way = await c.agent.way().catch(() => undefined);
  return { title: w.title, back, body: [
    title(w.title), heading(w.seen), bullets([...w.seenList]), heading(w.not), bullets([...w.notList]),
    way && [heading(w.way), para(way.relayed ? w.relayed(way.least) : w.direct)],
  ] };
}
