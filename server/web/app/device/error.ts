// What can go wrong on a participant's device, by what a page can do about it.

/**
 * Fault says what a page can do:
 * - insecure: the browser gives no cryptography here; open the page over https
 * - offline: the node was not reached; what is in the queue is sent later
 * - refused: the node or the rules say no; the text says why
 * - answer: the node answered something that it must not
 * - used: the card enrolled somebody, on another device or in another browser
 * - card: the code or the site's letter does not fit
 * - sheet: the recovery sheet was not read
 * - notEnrolled: the ledger does not show this device's leaf (yet)
 * - noCurrentConsent: no pass that the site accepts; consent to the present version first
 * - slot: this visit is recorded, or waits to be
 * - input: what was asked for does not fit the version or the protocol
 * - storage: the browser does not keep data here
 */
export type Fault =
  | "insecure" | "offline" | "refused" | "answer" | "used" | "card" | "sheet" | "notEnrolled" | "noCurrentConsent" | "slot" | "input" | "storage";

/** DeviceError is every error of this directory that a page is to tell. */
export class DeviceError extends Error {
  override name = "DeviceError";

  constructor(readonly code: Fault, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** RefusedError is a refusal of the node, with the number that the rules gave; 0: none. */
export class RefusedError extends DeviceError {
  override name = "RefusedError";

  constructor(readonly status: number, readonly refusal: number, message: string, readonly remedy: string) {
    super("refused", message);
  }
}
