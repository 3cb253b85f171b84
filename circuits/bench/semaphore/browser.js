// The peer in a browser's worker: one proof of depth 20 for each message, on as
// many threads as the address says, with the witness computed anew as ours is.
// "browser.js?threads=1" keeps all in this worker; with more the library starts
// workers of its own, as many as it is told the machine has cores.
"use strict"
const threads = Number(new URLSearchParams(location.search).get("threads"))
Object.defineProperty(navigator, "hardwareConcurrency", { value: threads })
importScripts("node_modules/snarkjs/build/snarkjs.min.js")

const depth = 20
const files = "node_modules/@zk-kit/semaphore-artifacts/"
// The circuit computes the root of whatever siblings it is given.
const input = {
    secret: "123456789",
    merkleProofLength: String(depth),
    merkleProofIndex: "5",
    merkleProofSiblings: Array.from({ length: depth }, (_, i) => String(1000 + i)),
    scope: "777",
    message: "42"
}
let loaded

async function load() {
    // The library makes its curve anew for each proof on one thread; like this it
    // keeps it, as it does on more.
    if (threads === 1) globalThis.curve_bn128 = await snarkjs.curves.getCurveFromName("bn128", { singleThread: true })
    const get = async (name) => new Uint8Array(await (await fetch(files + name)).arrayBuffer())
    const [wasm, zkey] = await Promise.all([get(`semaphore-${depth}.wasm`), get(`semaphore-${depth}.zkey`)])
    return { wasm, zkey, key: await snarkjs.zKey.exportVerificationKey({ type: "mem", data: zkey }) }
}

onmessage = async () => {
    try {
        loaded ??= await load()
        const start = performance.now()
        const { proof, publicSignals } = await snarkjs.groth16.fullProve(input, loaded.wasm, { type: "mem", data: loaded.zkey })
        const ms = performance.now() - start
        if (!(await snarkjs.groth16.verify(loaded.key, publicSignals, proof))) throw new Error("the peer's own proof does not verify")
        postMessage({ ms })
    } catch (e) {
        postMessage({ ms: 0, error: String(e) })
    }
}
