// Everything that is shown of one connection, whether it is simulated here or lives on the stack that serves this page: the
// time-sequence plot, the sender's figures, the state diagram, and the ladder of packets.
import { type Conversation, countUpTo, type Flight, Side } from './conversation.ts'
import { card, element } from './elements.ts'
import { Ladder } from './ladder.ts'
import { TimeScale } from './plot.ts'
import { SenderPlots } from './sender-plots.ts'
import { StateDiagram } from './state-diagram.ts'
import { TimeSequence } from './time-sequence.ts'

export class ConnectionView {
  readonly root: HTMLElement
  readonly ladder: Ladder
  readonly #scale = new TimeScale()
  readonly #sequence = new TimeSequence(this.#scale)
  readonly #plots = new SenderPlots(this.#scale)
  readonly #diagram: StateDiagram
  #again: () => void = () => {}

  constructor(names: readonly [string, string], lose: ((flight: Flight) => void) | null = null) {
    this.#diagram = new StateDiagram(names)
    this.ladder = new Ladder(names, lose)
    this.#scale.onChange(() => this.#again())
    this.root = element(
      'div',
      { class: 'connection' },
      card(
        'Time and sequence',
        'As Van Jacobson drew it: each stroke is a segment, below it runs what is acknowledged, above it the window.',
        this.#sequence.root,
      ),
      card('States', 'RFC 9293, Figure 5, and the way that each end took through it.', this.#diagram.root),
      card('Congestion window', 'What the sender allows itself, and what of it is in flight.', this.#plots.window),
      card(
        'Round trips',
        'How long acknowledgments take, and how long they would be waited for.',
        this.#plots.roundTrip,
      ),
      card('Packets', 'Choose one to read it field by field.', this.ladder.root),
    )
  }

  /** What has happened until then: `count` of the log, seen from who sends the data. */
  show(conversation: Conversation, count: number, at: number, sender: Side, range: readonly [number, number]): void {
    this.#again = () => this.show(conversation, count, at, sender, range)
    this.#sequence.show(conversation, count, sender, range)
    this.#plots.show(conversation, at, sender, range)
    this.#diagram.show(conversation.states, countUpTo(conversation.states, at))
    this.ladder.show(conversation, count)
  }

  /** All of the time again. */
  reset(): void {
    this.#scale.choose(null)
  }

  close(): void {
    this.#sequence.close()
    this.#plots.close()
  }
}

/** Who has sent more. */
export function busierSide({ flights }: Conversation): Side {
  let balance = 0
  for (const { from, segment } of flights) balance += from === Side.server ? segment.length : -segment.length
  return balance >= 0 ? Side.server : Side.client
}
