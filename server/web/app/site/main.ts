// The site's page: one step at a time, all of it on this computer.

import { byId } from "../lib/dom";
import { language } from "../lib/language";
import { live, Router, type Screen } from "../lib/screen";
import { failed, type Context, type State, type Step } from "./context";
import { impossible } from "./parts";
import { alone, stored } from "./safe";
import { cards, enrolled, newCard, request, showCard } from "./screens/cards";
import { addPerson, computer } from "./screens/computer";
import { countersigned, sign } from "./screens/countersign";
import { leave, leaving, left } from "./screens/leave";
import { made, open, place, restore, setup, start } from "./screens/setup";
import { lock, today } from "./screens/today";
import { visit } from "./screens/visit";
import { Signer } from "./sign";
import { words } from "./words";

const idle = 15 * 60_000; // milliseconds without a key or a touch, then the page locks

/** Steps that need no key. */
const before: Record<string, (c: Context) => Screen | string> = { start, setup, made, open, restore };

/** Steps of who has unlocked; n is what the address says behind the slash. */
const unlocked: Record<string, (c: Context, d: NonNullable<State["desk"]>, n: number) => Promise<Screen | string> | Screen | string> = {
  place: plain(place), today: placed(today), visit: placed(visit), leave: placed(leave), table: placed(countersigned),
  cards: placed(cards), computer: plain(computer), person: (c, d) => addPerson(c, d),
  card: (c, d, n) => !d.tables.place ? "place" : Number.isNaN(n) ? newCard(c, d) : showCard(c, d, n),
  request, enrolled, sign, left,
};

function plain(s: Step) { return (c: Context, d: NonNullable<State["desk"]>) => s(c, d); }

function placed(s: Step) {
  return (c: Context, d: NonNullable<State["desk"]>, n: number) => !d.tables.place ? "place" : s === leave && !Number.isNaN(n) ? leaving(c, d, n) : s(c, d);
}

async function resolve(c: Context, step: string): Promise<Screen | string> {
  const [name = "", n = ""] = step.split("/");
  const free = before[name];
  if (free) return free(c);
  if (!c.state.desk) return c.state.file ? "open" : "start";
  const held = unlocked[name];
  return held ? held(c, c.state.desk, /^\d{1,9}$/.test(n) ? Number(n) : NaN) : "today";
}

/** Locks the page when nobody uses it. */
function watch(c: Context): void {
  let last = Date.now();
  const look = () => {
    const left = c.state.desk !== undefined && Date.now() - last > idle;
    if (left) lock(c, c.w.open.locked);
    return left;
  };
  // A computer that slept is touched before any timer runs: that touch locks it, and does nothing else.
  const touched = (event: Event) => {
    if (look()) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
    last = Date.now();
  };
  for (const event of ["pointerdown", "keydown", "click"]) addEventListener(event, touched, { capture: true });
  setInterval(look, 10_000);
}

async function run(): Promise<void> {
  const root = byId("app"), w = words();
  if (!globalThis.isSecureContext || !globalThis.crypto?.subtle) return impossible(root, w, w.insecure);
  if (!await Signer.possible()) return impossible(root, w, w.unsupported);
  if (!await alone()) return impossible(root, w, w.twice);
  const file = await stored().catch(() => null);
  if (file === null) return impossible(root, w, w.unkept);
  const status = live(), state: State = { file, flash: "" };
  root.before(status.element);
  const c = { l: language(), w, place: root, state, say: status.say } as Context;
  c.router = new Router(root, w, (step) => resolve(c, step), (e) => failed(c, e));
  watch(c);
  c.router.start();
}

void run();
