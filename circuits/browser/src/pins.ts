// Written by circuits/browser/pins from circuits/browser/dist; run go generate ./circuits/browser.

/** Pin is what a file must be: its name below /prover/, its SHA-256 and its length. */
export interface Pin {
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** pins are the files that the prover loads. */
export const pins = {
  "A.bin": { file: "A.bba7c8cc0d15219f.bin", sha256: "bba7c8cc0d15219f8ddc5aafeb04c7b2810c14400a3a6077c31192c282632d7f", bytes: 126816 },
  "B1.bin": { file: "B1.bfe16fe1467872b5.bin", sha256: "bfe16fe1467872b5a8556cd7537a1fe4037e95fd5d876d0b838f0d620858165b", bytes: 89312 },
  "B2.bin": { file: "B2.854e294ac758022f.bin", sha256: "854e294ac758022f6ff986ba30bc447938ad4a661c2498ba79bd74d678bf2e10", bytes: 178624 },
  "K.bin": { file: "K.a9fd18ed1dd15663.bin", sha256: "a9fd18ed1dd15663fe9499af0fa22c3523384428362772cc0301d72dadd8780c", bytes: 126752 },
  "Z.bin": { file: "Z.cffd9175fc476656.bin", sha256: "cffd9175fc47665645d3afcd67c12aa68f0cd0088e343667d079fe1f840403ac", bytes: 131040 },
  "circuit.bin": { file: "circuit.b83a9bfe18055915.bin", sha256: "b83a9bfe18055915d658a90edd04606935e8423920808c0343453472a9cf0e74", bytes: 455900 },
  "kernel.wasm": { file: "kernel.e7fab346296243e8.wasm", sha256: "e7fab346296243e85fefc66fa325843a9492d53e80612e58b2eb732dd4ace880", bytes: 38506 },
  "small.bin": { file: "small.8cc8c4aa6a93faea.bin", sha256: "8cc8c4aa6a93faea0005732530de61f25715ffa3041820e1f87498adc736df7a", bytes: 22408 },
} as const satisfies Record<string, Pin>;

/** scripts are the workers. Only a page may name them: a worker's own name depends on its bytes. */
export const scripts = {
  "gnark.js": { file: "gnark.1c58d8828048c8f2.js", sha256: "1c58d8828048c8f2235bb23dcb53074dd2723f638e1cd1ea81287532944c2806", bytes: 2254 },
  "worker.js": { file: "worker.4155be22f52228cb.js", sha256: "4155be22f52228cb6d4ae4229ffaa52433e1b1fd405dcf9956333b47f594cdb6", bytes: 40103 },
} as const satisfies Record<string, Pin>;
