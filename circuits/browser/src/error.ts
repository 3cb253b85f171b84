/** What went wrong, for a caller that branches on it. */
export type ProverCode = "unsupported" | "download" | "changed" | "witness" | "cancelled" | "internal";

/** An error of the prover. Its message names the thing, the rule and the remedy, and never a secret. */
export class ProverError extends Error {
  readonly code: ProverCode;

  constructor(code: ProverCode, message: string) {
    super(message);
    this.name = "ProverError";
    this.code = code;
  }
}

/** No browser can prove at this address: the node lacks the proving key of its ledger. */
export class KeylessError extends ProverError {
  constructor(message: string) {
    super("unsupported", message);
    this.name = "KeylessError";
  }
}

/** Any thrown value as a ProverError: what was not foreseen is "internal". */
export function asProverError(e: unknown): ProverError {
  if (e instanceof ProverError) return e;
  return new ProverError("internal", e instanceof Error ? e.message : String(e));
}
