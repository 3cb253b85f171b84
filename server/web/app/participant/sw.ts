// Keeps the participant's pages for when there is no connection: the frame, the
// style sheets and scripts, the prover's files, and the forms that were read. What
// belongs to one person, the site's letters, the lists, the acts, is never kept.

// The compiler knows the names of pages here, not those of service workers.
interface Waiting extends Event { waitUntil(work: Promise<unknown>): void }
interface Fetching extends Waiting { readonly request: Request; respondWith(answer: Promise<Response>): void }
interface ServiceWorker {
  addEventListener(type: "install" | "activate", listener: (event: Waiting) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetching) => void): void;
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
}
const worker = self as unknown as ServiceWorker;

/** The addresses of the pages' files, which the server writes ahead of this script. */
declare const FILES: string[];

const pages = ["/take-part", "/my-consent"];
const languages = ["en", "es", "ar"];

// The frame belongs to one build of the server. Prover files and forms outlive it:
// they are named by their content, or asked for afresh whenever there is a connection.
const frame = "trialith-frame-" + hash(FILES.join());
const prover = "trialith-prover";
const forms = "trialith-forms";

/** What is public about a study, the same for everybody. */
const form = /^\/v1\/(ledger|ways|trials\/[0-9a-f]{64}(\/versions\/[1-9][0-9]*|\/sites|\/results)?)$/;

worker.addEventListener("install", (event) => {
  event.waitUntil(caches.open(frame).then(async (c) => {
    await c.addAll(FILES);
    await Promise.all(pages.flatMap((p) => languages.map((l) => c.add(`${p}?lang=${l}`))));
    await worker.skipWaiting();
  }));
});

// An open page has all of its script already, so a new frame may take over at once.
worker.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith("trialith-frame-") && name !== frame) await caches.delete(name);
    }
    await worker.clients.claim();
  })());
});

worker.addEventListener("fetch", (event) => {
  const { request } = event, at = new URL(request.url);
  if (request.method !== "GET" || at.origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    if (pages.includes(at.pathname)) event.respondWith(fresh(request, () => page(at)));
  } else if (FILES.includes(at.pathname)) {
    event.respondWith(kept(frame, request));
  } else if (at.pathname.startsWith("/prover/")) {
    event.respondWith(at.pathname.endsWith(".json") ? freshKept(prover, request) : kept(prover, request));
  } else if (form.test(at.pathname)) {
    event.respondWith(freshKept(forms, request));
  }
});

/** The network's answer, or without one what stands in for it. */
async function fresh(request: Request, instead: () => Promise<Response | undefined>): Promise<Response> {
  try {
    return await fetch(request);
  } catch (e) {
    const known = await instead();
    if (known) return known;
    throw e;
  }
}

/** The frame in the language of the address, else the browser's, else English. */
async function page(at: URL): Promise<Response | undefined> {
  const c = await caches.open(frame);
  const asked = at.searchParams.get("lang") ?? self.navigator.language.split("-")[0];
  return c.match(`${at.pathname}?lang=${languages.includes(asked) ? asked : "en"}`);
}

/** A file whose address is made of its content: the copy here is as good as any, unless the page found it spoilt and asks past it. */
async function kept(name: string, request: Request): Promise<Response> {
  const c = await caches.open(name);
  const known = request.cache === "reload" ? undefined : await c.match(request);
  if (known) return known;
  const answer = await fetch(request);
  if (answer.ok) {
    await replaced(c, new URL(request.url));
    await keep(c, request, answer);
  }
  return answer;
}

/** Keeps a copy where there is room for it. The page gets its answer in any case. */
async function keep(c: Cache, request: Request, answer: Response): Promise<void> {
  await c.put(request, answer.clone()).catch(() => undefined);
}

/** Drops earlier contents of the file: NAME.HASH.EXT with another hash. */
async function replaced(c: Cache, at: URL): Promise<void> {
  const plain = (path: string) => path.replace(/\.[0-9a-f]{16}\./, ".");
  for (const old of await c.keys()) {
    const path = new URL(old.url).pathname;
    if (path !== at.pathname && plain(path) === plain(at.pathname)) await c.delete(old);
  }
}

async function freshKept(name: string, request: Request): Promise<Response> {
  const c = await caches.open(name);
  const answer = await fresh(request, () => c.match(request));
  if (answer.ok) await keep(c, request, answer);
  return answer;
}

function hash(text: string): string {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return (h >>> 0).toString(16);
}
