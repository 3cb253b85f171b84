// Proves and verifies once for each line read, and answers with one line of
// JSON, so that a driver can run it in turns with something else:
// {"depth":20,"proveCPU":…,"proveWall":…,"verifyCPU":…,"verifyWall":…} in ms.
// The files of the circuit come from the installed package, never from a network.
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { createInterface } from "node:readline"
import { Group } from "@semaphore-protocol/group"
import { Identity } from "@semaphore-protocol/identity"
import { generateProof, verifyProof } from "@semaphore-protocol/proof"

globalThis.fetch = () => Promise.reject(new Error("the benchmark uses no network"))

const files = dirname(createRequire(import.meta.url).resolve("@zk-kit/semaphore-artifacts/package.json"))
const identity = new Identity("trialith benchmark")
const others = Array.from({ length: 99 }, (_, i) => BigInt(i + 2))
const group = new Group([...others.slice(0, 42), identity.commitment, ...others.slice(42)])

// measure returns a result with the process's CPU time (all threads) and the
// wall time of making it, in milliseconds.
async function measure(work) {
    const cpu = process.cpuUsage(), wall = performance.now()
    const value = await work()
    const { user, system } = process.cpuUsage(cpu)
    return { value, cpu: (user + system) / 1000, wall: performance.now() - wall }
}

async function once(depth) {
    const artifacts = {
        wasm: join(files, `semaphore-${depth}.wasm`),
        zkey: join(files, `semaphore-${depth}.zkey`)
    }
    const proved = await measure(() => generateProof(identity, group, "message", "scope", depth, artifacts))
    const verified = await measure(() => verifyProof(proved.value))
    if (!verified.value) throw new Error("the peer's own proof does not verify")
    return { depth, proveCPU: proved.cpu, proveWall: proved.wall, verifyCPU: verified.cpu, verifyWall: verified.wall }
}

for await (const line of createInterface({ input: process.stdin })) {
    const depth = Number(line)
    if (!Number.isInteger(depth) || depth < 1 || depth > 32) throw new Error(`depth ${line}: 1 to 32`)
    console.log(JSON.stringify(await once(depth)))
}
process.exit(0)
