// Runs Node's own test files twice: as they are, on the kernel, and on a host of a simulated network (in-host.mjs). What passes on the
// kernel shall pass on a host, but for what stands with its reason in except.mjs. A line a file: PASS; FAIL with why; EXCEPT with its
// reason, for one that fails on a host as expected; KERNEL for one that fails on the kernel already; SKIP for what can't apply.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exceptions, inHostRules } from './except.mjs'
import { flagsOf, run } from './run-file.mjs'

const IN_HOST = fileURLToPath(new URL('./in-host.mjs', import.meta.url))

/** Of those that pass on the kernel. */
const LEAST_SHARE = 0.9

/**
 * One at a time, so that no file's timers are late by another's work. `limit`: real milliseconds a file may take; a host's timers take
 * none, but the machine may be busy. Resolves to whether all is as it should be.
 */
export async function runInHost(root, names, { limit, isVerbose }) {
  const counts = { PASS: 0, FAIL: 0, EXCEPT: 0, KERNEL: 0, SKIP: 0 }
  const failures = []
  const say = (verdict, name, why) => {
    counts[verdict]++
    const line = why === undefined ? `${verdict} ${name}` : `${verdict} ${name}: ${why}`
    console.log(line)
    if (verdict === 'FAIL' || verdict === 'EXCEPT') failures.push(line)
  }
  for (const name of names) {
    const file = join(root, 'parallel', name)
    const text = readFileSync(file, 'utf8')
    const why = inHostRules.find((rule) => rule.text.test(text))?.why
    if (why !== undefined) {
      say('SKIP', name, why)
      continue
    }
    const onKernel = await run(root, [...flagsOf(text), file], { limit })
    if (onKernel.skipped !== undefined) say('SKIP', name, `the file itself says: ${onKernel.skipped}`)
    else if (onKernel.failure !== null) say('KERNEL', name, onKernel.failure)
    else {
      const { failure, output } = await run(root, [...flagsOf(text), IN_HOST, file], { limit })
      if (failure === null) say('PASS', name)
      else if (name in exceptions) say('EXCEPT', name, exceptions[name])
      else say('FAIL', name, failure)
      if (isVerbose && failure !== null) console.log(output)
    }
  }
  const onKernel = counts.PASS + counts.EXCEPT + counts.FAIL
  const share = onKernel === 0 ? 0 : counts.PASS / onKernel
  for (const line of ['', 'not in a host:', ...failures]) if (failures.length > 0) console.log(line)
  console.log(
    `${names.length} files: ${counts.SKIP} do not apply, ${counts.KERNEL} fail on the kernel, ${onKernel} pass on the kernel; ` +
      `of those ${counts.PASS} pass in a host (${Math.floor(share * 1000) / 10}%), ` +
      `${counts.EXCEPT} do not and have their reason, ${counts.FAIL} do not and have none`,
  )
  return counts.FAIL === 0 && share >= LEAST_SHARE
}
