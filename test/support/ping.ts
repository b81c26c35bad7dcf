// Ping in a namespace, and how many of its requests were never answered. Ping itself waits for the last reply no longer than two round trips
// once it has had others, and counts it as lost where the machine is busy; the kernel's own counters have it when it does come.
import type { Namespace } from './namespace.ts'

const PATIENCE = 10_000

/** Echo requests that the namespace's kernel has sent, replies that it has taken, and requests that it has taken, of both families. */
export async function echoes(where: Namespace): Promise<{ sent: number; answered: number; taken: number }> {
  const { stdout } = await where.exec('cat', ['/proc/net/snmp', '/proc/net/snmp6'])
  const [names, values] = stdout.split('\n').filter((line) => line.startsWith('Icmp:'))
  const v4 = (name: string) => Number(values.split(' ')[names.split(' ').indexOf(name)])
  const v6 = (name: string) => Number(new RegExp(`^Icmp6${name}\\s+(\\d+)$`, 'm').exec(stdout)?.[1] ?? 0)
  return {
    sent: v4('OutEchos') + v6('OutEchos'),
    answered: v4('InEchoReps') + v6('InEchoReplies'),
    taken: v4('InEchos') + v6('InEchos'),
  }
}

/** Requests without a reply; what ping said where it sent none. */
export async function unanswered(from: Namespace, ...words: string[]): Promise<number | string> {
  const before = (await echoes(from)).answered
  const { stdout, stderr } = await from.exec('ping', ['-q', ...words])
  const sent = Number(/^(\d+) packets transmitted/m.exec(stdout)?.[1] ?? 0)
  if (sent === 0) return stdout + stderr
  const latest = performance.now() + PATIENCE
  for (;;) {
    const missing = sent - ((await echoes(from)).answered - before)
    if (missing === 0 || performance.now() > latest) return missing
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
