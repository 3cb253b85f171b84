// Reads a QR code with the camera, where the browser can (BarcodeDetector). Where
// it cannot there is no button, and everything can be typed.

import { h } from "../lib/dom";
import { button, para } from "../lib/parts";

interface Detector { detect(source: CanvasImageSource): Promise<{ rawValue: string }[]> }
type Maker = new (options: { formats: string[] }) => Detector;

function detector(): Detector | undefined {
  const maker = (globalThis as { BarcodeDetector?: Maker }).BarcodeDetector;
  return maker && "mediaDevices" in navigator ? new maker({ formats: ["qr_code"] }) : undefined;
}

/** What the page says meanwhile. */
export interface ScanWords { scanning: string; stop: string; noCamera: string }

/** A button that scans one code and hands its text on; nothing where the browser cannot. Leave stops the camera. */
export function scanner(c: { w: { card: ScanWords } }, text: string, found: (text: string) => void): { element: HTMLElement | undefined; leave: () => void } {
  const eye = detector();
  if (!eye) return { element: undefined, leave: () => {} };
  const w = c.w.card;
  let stop = () => {};
  const place = h("div", { class: "t-scan" });
  const idle = () => place.replaceChildren(button(text, () => void look(), "secondary"));
  const look = async () => {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      const video = h("video", { playsinline: true, muted: true, "aria-label": w.scanning });
      video.srcObject = stream;
      stop = () => {
        stop = () => {};
        stream.getTracks().forEach((t) => t.stop());
        idle();
      };
      place.replaceChildren(h("p", { class: "govuk-body", role: "status" }, w.scanning), video, button(w.stop, () => stop(), "secondary"));
      await video.play();
      for (let live = stop; live === stop; await pause()) {
        const [code] = await eye.detect(video);
        if (!code) continue;
        stop();
        found(code.rawValue);
      }
    } catch {
      stop();
      place.replaceChildren(h("div", { role: "alert" }, para(w.noCamera)));
    }
  };
  idle();
  return { element: place, leave: () => stop() };
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 150));
}
