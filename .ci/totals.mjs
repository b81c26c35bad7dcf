// Counts vitest's JSON report for .ci/run: `node .ci/totals.mjs REPORT STATUS` prints passed, failed and skipped.
// A file that could not even be loaded counts as one failure, and so does a run that failed without saying where.
import { readFileSync } from 'node:fs'

const [, , path, status] = process.argv
let report = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] }
try {
  report = JSON.parse(readFileSync(path, 'utf8'))
} catch (error) {
  console.error(`The tests left no report that can be read (${error.message}).`)
}
const unloadable = report.testResults.filter(
  (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
)
for (const { name, message } of unloadable) console.error(`${name} failed outside of its tests: ${message}`)
let failed = report.numFailedTests + unloadable.length
if (failed === 0 && status !== '0') failed = 1
console.log(report.numPassedTests, failed, report.numPendingTests + report.numTodoTests)
