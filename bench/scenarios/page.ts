// docs/scenarios.md and its pictures, and the example of docs/explain.md, made of what the scenarios measure: the same octets from the same code.
// Written by main.ts; the test of the quick ones holds their sections and pictures.
import { explain } from '../../src/inspect/explain/explain.ts'
import { explanationText } from '../../src/inspect/explain/story-text.ts'
import { timeSequence } from '../../src/inspect/explain/time-sequence.ts'
import { SCENARIOS } from '../../src/scenario/library.ts'
import { type Picture, pictures } from '../../src/scenario/pictures.ts'
import { runScenario, type ScenarioResult } from '../../src/scenario/run.ts'
import { tableMarkdown } from '../../src/scenario/table.ts'

export const EXPLAIN_PAGE = 'docs/explain.md'
export const EXPLAIN_PICTURE = 'docs/pictures/explain.svg'
/** Of which scenario the example of explain.md is, and of which of its streams. */
const EXPLAINED = SCENARIOS['head-of-line']
const STREAM = 3

export const PAGE = 'docs/scenarios.md'
export const PICTURES = 'docs/pictures/scenarios'

export interface Section {
  readonly text: string
  readonly pictures: readonly Picture[]
}

export function section(name: string, result: ScenarioResult): Section {
  const { title, about, length, hosts } = result.scenario
  const drawn = pictures(result).map((picture) => ({ ...picture, name: `${name}-${picture.name}.svg` }))
  const text = [
    `## ${title}`,
    about ?? '',
    `\`tunstack simulate ${name}\`: ${Object.keys(hosts).length} hosts, ${length / 1000} s, seed ${result.seed}.`,
    drawn.map((picture) => `![${title}](pictures/scenarios/${picture.name})`).join('\n'),
    tableMarkdown(result),
  ]
  return { text: text.join('\n\n'), pictures: drawn }
}

/** The page with its example as it comes out now, and the picture in it. */
export async function explained(page: string): Promise<{ page: string; picture: string }> {
  const blocks: Uint8Array[] = []
  await runScenario(EXPLAINED, { capture: (block) => void blocks.push(block) })
  const { explanation, conversations } = explain(Buffer.concat(blocks))
  const text = explanationText(explanation, [explanation.conversations[STREAM]])
  const example = page.replace(/```\n[\d,]+ packets in [\s\S]*?```/, () => `\`\`\`\n${text}\n\`\`\``)
  return { page: example, picture: timeSequence(conversations[STREAM]) }
}

export function page(sections: readonly Section[]): string {
  return `${[INTRODUCTION, ...sections.map(({ text }) => text)].join('\n\n')}\n`
}

const INTRODUCTION = `# Scenarios

A scenario is a small network, what is wrong with it, and who sends what to whom. It runs in virtual time: a minute takes a few seconds, needs no root, and
one seed gives the same packets, octet for octet. \`tunstack simulate\` runs one and prints what TCP made of it.

\`\`\`
tunstack simulate --list                    the scenarios that come with the package
tunstack simulate bufferbloat               its table
tunstack simulate bufferbloat --out DIR     its pictures, as SVG
tunstack simulate bufferbloat --seed 7      another run of chance
tunstack simulate bufferbloat --json        the figures, not rounded
tunstack simulate bufferbloat --pcap FILE   every packet at both ends of each link, for Wireshark and \`tunstack explain\`
\`\`\`

Those that come with the package are modules in \`src/scenario/library\` (\`dist/scenario/library\` of what is installed), in TypeScript's plainest form.

This page and its pictures are written by \`npm run scenarios\`. \`npm run scenarios -- --check\` runs every scenario again and fails where one octet differs; \`npm test\`
does so for the quick ones.

## Reading the table

| column | |
| --- | --- |
| Mbit/s | what reached the application, from the flow's start until its last octet or the end of the run |
| segments, sent again | segments with text that were sent, and how many of them were retransmissions |
| RTT 50%, 95%, 99% | the round trip that TCP measured last, looked at 600 times in the run where something new had been acknowledged: half, 95% and 99% of what was found lie at or below |
| done at | when the last octet had arrived, since the beginning of the run; nothing where the run ended before |
| first octet, last octet | since the resource was wanted, which is when the page is |
| longest stall | the longest time without a new octet of that resource, between its first and its last |

What reaches the application is in order: behind a hole it waits, and when the hole is filled it comes at once, so that a line of goodput falls to nothing and then jumps above the rate of the link.

Flows of one name are one row, and one line of a picture. Fairness is Jain's index over those that meet at a link with a rate, from when the last of them begins until the first one ends.

## A scenario of your own

\`tunstack simulate NAME --print > mine.json\` is a beginning; \`tunstack simulate mine.json\` runs it. A module that exports one by default (\`.js\`, \`.mjs\`, and \`.ts\` where Node takes it)
does as well, and may make its hosts in a loop. What is wrong with a file is told in one sentence that names the place.

\`\`\`json
{
  "title": "A slow link that gets worse",
  "length": 10000,
  "hosts": { "sender": {}, "router": { "router": true }, "receiver": { "tcp": { "selectiveAcks": false } } },
  "links": [
    { "between": ["sender", "router"], "both": { "delay": 5 } },
    {
      "between": ["router", "receiver"],
      "both": { "rate": 10, "delay": 20, "queue": 50 },
      "changes": [
        { "at": 3000, "forward": { "loss": 0.02 } },
        { "at": 6000, "cut": "both" },
        { "at": 6500, "heal": "both" }
      ]
    }
  ],
  "flows": [
    { "from": "sender", "to": "receiver", "controller": "bbr" },
    { "from": "sender", "to": "receiver", "start": 2000, "size": 500000, "name": "file" },
    { "http": "2", "client": "receiver", "server": "sender", "start": 4000, "resources": [{ "size": 20000, "count": 5 }] }
  ],
  "plots": ["goodput", "window", "rtt", "queue"]
}
\`\`\`

| field | |
| --- | --- |
| \`length\`, \`start\`, \`duration\`, \`at\` | milliseconds of virtual time |
| \`hosts\` | by name; \`router\`: passes on what is for others; \`tcp\`: settings of [createStack](stack.md) |
| \`links[].both\`, \`forward\`, \`backward\` | what is wrong, as in [Links](links.md): delay, jitter, loss, burstLoss, reorder, duplicate, corrupt, mark, rate (Mbit/s), queue (packets), mtu (longer packets vanish). \`forward\` is from the host named first |
| \`links[].mtu\` | what both ends know that the link takes |
| \`links[].changes\` | in the order of their times; \`cut\` and \`heal\` take \`forward\`, \`backward\` or \`both\` |
| \`flows[]\` with \`from\`, \`to\` | octets as fast as TCP takes them: \`size\` of them, for a \`duration\`, or until the end |
| \`flows[]\` with \`http\` | a page on one connection: \`1.1\` asks for a resource when the one before is whole, \`2\` asks for all at once |
| \`controller\` | \`cubic\`, \`reno\` or \`bbr\`, of who sends the octets |
| \`plots\` | \`goodput\`, \`window\`, \`rtt\`, \`queue\` (of the link that had most waiting), \`responses\` (of pages) |

The same from a program, also in a browser (\`tunstack/core\`): \`const result = await runScenario(scenario, { seed: 7 })\`, then \`tableText(result)\`, \`pictures(result)\` and \`describeScenario(result)\`.

HTTP/1.1 is the server and the client of this package. HTTP/2 is a small one of its own, so that it runs where there is no \`node:http2\` and gives the same octets under each version of Node: real frames, streams and
flow control (RFC 9113), no compression of headers. A test lets it talk with \`node:http2\` both ways.`
