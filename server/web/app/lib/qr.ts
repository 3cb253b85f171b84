// QR codes, drawn as one path: no inline style, no picture to load.

import { h, svg } from "./dom";
import { qrcodegen } from "./vendor/qrcodegen";

const border = 4; // modules of quiet zone around the symbol (ISO/IEC 18004)

/** The code of a text, with words for those who cannot see it. Long texts make fine codes, which are drawn larger. */
export function qr(text: string, alternative: string): HTMLElement {
  const code = qrcodegen.QrCode.encodeText(text, qrcodegen.QrCode.Ecc.MEDIUM);
  const side = code.size + 2 * border;
  return h("div", { class: code.size > 60 ? "t-qr t-qr--large" : "t-qr" },
    svg("svg", { viewBox: `0 0 ${side} ${side}`, role: "img", "aria-label": alternative, "shape-rendering": "crispEdges" },
      svg("rect", { width: side, height: side, fill: "#fff" }),
      svg("path", { d: path(code), fill: "#0b0c0c" })));
}

function path(code: qrcodegen.QrCode): string {
  let d = "";
  for (let y = 0; y < code.size; y++) {
    for (let x = 0; x < code.size; x++) {
      if (code.getModule(x, y)) d += `M${x + border} ${y + border}h1v1h-1z`;
    }
  }
  return d;
}
