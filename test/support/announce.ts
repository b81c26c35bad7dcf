// Runs once before the tests on a real kernel, and says in one line when they will be skipped and why.
import { privileged } from './namespace.ts'

export default function announce(): void {
  const { granted, reason } = privileged()
  if (!granted) console.error(`\nTests that need a TUN device are skipped. ${reason}\n`)
}
