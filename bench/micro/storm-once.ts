// One reconnect storm in a process of its own, as a test's is that runs once: prints its milliseconds. `storm` starts it.
import { storm } from './storm.ts'

const began = performance.now()
await storm()
console.log(performance.now() - began)
