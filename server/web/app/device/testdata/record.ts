// Records for tests of the store.

import { hex, random } from "../bytes";
import { join, type Participation } from "../participation";
import { type Outgoing } from "../queue";

export function generate(id: string): { study: Participation; act: Outgoing; draft: object } {
  const name = () => hex(random(32));
  const study: Participation = {
    ...join({
      type: "card", ledger: name(), trial: name(), site: name(), siteName: "St Mary's Clinic", investigator: name(), version: 1, day: 20000,
      study: "A trial of quite a lot", contact: "Nurse Joy, 555-0100", inbox: "BA==", code: "07-0012",
    }, "K7QM2RTX9PWD", hex(random(16))),
    id,
  };
  const act: Outgoing = {
    id: hex(random(16)), study: id, ledger: study.ledger, trial: study.trial, kind: 4, version: 1, successor: 0, sequence: 0, account: name(),
    body: "c29tZSBieXRlcyBvZiBhbiBhY3Q=", choice: { form: "main", language: "en", taken: ["results"] }, salt: name(), made: 1, after: 0, direct: false, steady: false,
    sent: [], state: "waiting", refusal: "",
  };
  return { study, act, draft: { section: 3, options: ["results"] } };
}
