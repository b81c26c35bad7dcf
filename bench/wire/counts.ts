// What can be asked of a short round on any machine, however busy: not how fast, but how many packets and system calls for how much.
import type { Result } from './rounds.ts'

/** At most, for one of what the measure counts, on our side. */
const MOST: Record<Result['per'], { packets: number; systemCalls: number }> = {
  // Super-segments of 64 kB are 16,000 packets, as many ACKs where each comes alone, and up to six looks in vain for the next one.
  GB: { packets: 60_000, systemCalls: 150_000 },
  request: { packets: 2.5, systemCalls: 4.5 },
  connection: { packets: 11, systemCalls: 20 },
  // A question, an answer, and up to 64 looks in vain for the next question in the place of going to sleep.
  echo: { packets: 2.5, systemCalls: 74 },
  datagram: { packets: 1.5, systemCalls: 4 },
}

/** What is wrong, in words; nothing where all is well. */
export function faultsOf(results: readonly Result[]): string[] {
  return results.flatMap(({ title, per, ours, cost, complaints }) => {
    const faults = complaints
      .filter((complaint) => complaint.startsWith('ours'))
      .map((complaint) => `${title}: ${complaint}`)
    if (!(ours.least > 0)) faults.push(`${title}: nothing came through`)
    const { packets, systemCalls } = cost.ours
    if (packets > MOST[per].packets)
      faults.push(`${title}: ${packets.toFixed(2)} packets for a ${per}, bar ${MOST[per].packets}`)
    if (systemCalls !== null && systemCalls > MOST[per].systemCalls)
      faults.push(`${title}: ${systemCalls.toFixed(2)} system calls for a ${per}, bar ${MOST[per].systemCalls}`)
    return faults
  })
}
