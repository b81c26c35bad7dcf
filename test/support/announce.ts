// Runs once before the tests on a real kernel, and says in one line when they will be skipped and why.
import { whyNotOnKernel } from './on-kernel.ts'

export default function announce(): void {
  const reason = whyNotOnKernel()
  if (reason !== null) console.error(`\nTests that need a TUN device are skipped. ${reason}\n`)
}
