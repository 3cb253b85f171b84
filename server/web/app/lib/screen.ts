// One step at a time: the step is the fragment of the address, so the browser's
// own back button, a reload and a bookmark all do what one expects of them.

import { append, h, type Child } from "./dom";
import { fill } from "./parts";

/** What a step shows. Back is the step before it; shown is told when it is on the page, leave when it is left. */
export interface Screen { title: string; body: Child; back?: string; leave?: () => void; shown?: (place: HTMLElement) => void }

export interface Texts { back: string; name: string }

export class Router {
  private shown = 0;
  private leave?: () => void;
  private first = true;

  /** Resolve makes the screen of a step; it may answer another step to go to instead. */
  constructor(private place: HTMLElement, private texts: Texts, private resolve: (step: string) => Promise<Screen | string>,
    private failed: (e: unknown) => Screen) {}

  start(): void {
    addEventListener("popstate", () => void this.render());
    this.place.addEventListener("click", (event) => this.follow(event));
    void this.render();
  }

  get step(): string {
    try {
      return decodeURIComponent(location.hash.slice(1));
    } catch {
      return ""; // an address that somebody cut
    }
  }

  go(step: string): void {
    const depth = (history.state?.depth ?? 0) + 1;
    history.pushState({ depth }, "", "#" + step);
    void this.render();
  }

  /** Goes to a step that takes the place of this one in the history. */
  replace(step: string): void {
    history.replaceState(history.state, "", "#" + step);
    void this.render();
  }

  /** Shows this step again, as things are now. */
  again(): void { void this.render(); }

  // A link to a step is counted in the history like a step that a button leads to.
  private follow(event: MouseEvent): void {
    const a = event.target instanceof Element ? event.target.closest("a") : null;
    const href = a?.getAttribute("href");
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || !href?.startsWith("#")) return;
    event.preventDefault();
    this.go(href.slice(1));
  }

  private async render(): Promise<void> {
    const turn = ++this.shown;
    this.leave?.();
    this.leave = undefined;
    this.place.setAttribute("aria-busy", "true");
    let screen: Screen | string;
    try {
      screen = await this.resolve(this.step);
    } catch (e) {
      screen = this.failed(e);
    }
    if (turn !== this.shown) {
      if (typeof screen !== "string") screen.leave?.();
      return;
    }
    if (typeof screen === "string") return this.replace(screen);
    this.show(screen);
  }

  private show(screen: Screen): void {
    this.leave = screen.leave;
    document.title = `${screen.title} – ${this.texts.name}`;
    this.place.removeAttribute("aria-busy");
    fill(this.place, screen.back !== undefined && this.backLink(screen.back), h("div", { class: "t-step" }, screen.body));
    // The first step leaves the focus where the browser put it: the page was just loaded.
    if (!this.first) {
      scrollTo(0, 0);
      this.place.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
    }
    this.first = false;
    screen.shown?.(this.place);
  }

  private backLink(step: string): HTMLElement {
    return h("a", { class: "govuk-back-link", href: "#" + step, onclick: (event) => {
      event.preventDefault();
      if ((history.state?.depth ?? 0) > 0) history.back();
      else this.replace(step);
    } }, this.texts.back);
  }
}

/** A region whose changes are read out, one at a time. */
export function live(): { element: HTMLElement; say: (text: string) => void } {
  const element = h("div", { class: "govuk-visually-hidden", role: "status", "aria-live": "polite" });
  return { element, say: (text) => {
    if (element.textContent === text) return;
    element.replaceChildren();
    append(element, [text]);
  } };
}
