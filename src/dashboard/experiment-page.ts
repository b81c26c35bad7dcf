// The experiment: the controls, the stage with its transport, what it has come to, and everything that is known of the connection.
import { ConnectionView } from './connection-view.ts'
import { countUpTo, type Flight, Side } from './conversation.ts'
import { element, wantsCalm, write } from './elements.ts'
import { Experiment } from './experiment.ts'
import { ExperimentForm } from './experiment-form.ts'
import { milliseconds, octets, rate } from './figures.ts'
import { Player } from './player.ts'
import { DEFAULTS, type Settings } from './settings.ts'
import { Stage } from './stage.ts'
import { Transport } from './transport.ts'

/** Real milliseconds that a round trip takes to watch, at first. */
const ROUND_TRIP_SHOWN = 900
/** Before there is much to see, the plots show so many round trips. */
const FIRST_ROUND_TRIPS = 4
/** Whoever comes sees it in full swing, standing still, so many round trips on. */
const FIRST_SIGHT = 7.6

const FIGURES = ['delivered', 'goodput', 'cwnd', 'in flight', 'round trip', 'lost', 'sent again'] as const

export class ExperimentPage {
  readonly root: HTMLElement
  readonly #form: ExperimentForm
  readonly #stage = new Stage()
  readonly #player: Player
  readonly #transport: Transport
  readonly #view: ConnectionView
  readonly #figures = new Map<string, HTMLElement>()

  constructor() {
    this.#player = new Player({ move: () => this.#move(), refresh: () => this.#refresh() })
    this.#transport = new Transport(this.#player)
    this.#form = new ExperimentForm(settingsOf(location.hash), (settings) => this.#start(settings))
    this.#view = new ConnectionView(['client', 'server'], (flight) => this.#lose(flight))
    const figures = FIGURES.map((name) => {
      const value = element('dd', { 'data-figure': name }, '–')
      this.#figures.set(name, value)
      return element('div', {}, element('dt', {}, name), value)
    })
    this.root = element(
      'div',
      { class: 'experiment' },
      element('h1', { class: 'intro' }, 'A client asks, a server answers. How bad is the path between them?'),
      element(
        'div',
        { class: 'bench' },
        this.#form.root,
        element(
          'section',
          { class: 'card stage-card', 'aria-label': 'The stage' },
          this.#stage.root,
          this.#transport.root,
          element('dl', { class: 'figures' }, ...figures),
        ),
      ),
      this.#view.root,
    )
    document.addEventListener('keydown', (event) => this.#onKey(event))
    this.#transport.setSpeed(speedFor(this.#form.settings))
    const { settings } = this.#form
    this.#load(settings, new Set(), settings.delay * 2 * FIRST_SIGHT)
  }

  /** Stops while another page is shown. */
  hide(): void {
    if (this.#player.isPlaying) this.#player.pause()
  }

  #start(settings: Settings): void {
    history.replaceState(null, '', hashOf(settings))
    this.#transport.setSpeed(speedFor(settings))
    this.#load(settings, new Set(), 0)
    // Nothing begins to move by itself where somebody wants calm: they step, or press play.
    if (!wantsCalm()) this.#player.play()
  }

  #load(settings: Settings, wanted: ReadonlySet<number>, at: number): void {
    this.#view.reset()
    this.#player.load(new Experiment(settings, wanted), at)
  }

  /** The same once more, to the same moment, but for that packet. */
  #lose(flight: Flight): void {
    const { experiment, at } = this.#player
    if (experiment === null) return
    this.#load(experiment.settings, new Set([...experiment.wanted, flight.number]), Math.max(at, flight.sentAt))
    const again = this.#player.experiment?.conversation.flights.find(({ number }) => number === flight.number)
    if (again !== undefined) this.#view.ladder.choose(again)
  }

  #move(): void {
    const { experiment, at } = this.#player
    if (experiment === null) return
    this.#stage.show(experiment, at)
    this.#transport.show()
  }

  #refresh(): void {
    const { experiment, at, count } = this.#player
    if (experiment === null) return
    this.#move()
    const { conversation, settings } = experiment
    const end =
      experiment.isDone && this.#player.isAtEnd
        ? experiment.now
        : Math.max(at * 1.04, settings.delay * 2 * FIRST_ROUND_TRIPS)
    this.#view.show(conversation, count, at, Side.server, [0, end])
    if (!this.#player.isPlaying && count > 0) this.#view.ladder.choose(conversation.log[count - 1].flight)
    this.#tell(experiment, at, count)
    this.root.dataset.state = this.#player.isAtEnd ? 'done' : this.#player.isPlaying ? 'playing' : 'paused'
  }

  #tell({ conversation, delivered }: Experiment, at: number, count: number): void {
    const got = delivered[countUpTo(delivered, at) - 1]
    const samples = conversation.samples[Side.server]
    const sample = samples[countUpTo(samples, at) - 1]
    let lost = 0
    let again = 0
    for (let place = 0; place < count; place++) {
      const { kind, flight } = conversation.log[place]
      if (kind !== 'sent') continue
      if (flight.isLost) lost++
      if (flight.isAgain) again++
    }
    const words: Record<(typeof FIGURES)[number], string> = {
      delivered: octets(got?.octets ?? 0),
      goodput: got === undefined ? '–' : rate((got.octets / got.at) * 1000),
      cwnd: sample === undefined ? '–' : octets(sample.cwnd),
      'in flight': sample === undefined ? '–' : octets(sample.inFlight),
      'round trip': sample === undefined ? '–' : milliseconds(sample.smoothed ?? Number.NaN),
      lost: String(lost),
      'sent again': String(again),
    }
    for (const [name, value] of Object.entries(words)) write(this.#figures.get(name) as HTMLElement, value)
  }

  /** Space, and the two keys beside M, where nothing else wants them. */
  #onKey(event: KeyboardEvent): void {
    const target = event.target as Element
    if (this.root.hidden || event.ctrlKey || event.metaKey || event.altKey) return
    if (target.closest('input, button, summary, a, select, textarea, .plot-frame') !== null) return
    const actions: Record<string, () => void> = {
      ' ': () => (this.#player.isPlaying ? this.#player.pause() : this.#player.play()),
      '.': () => this.#player.step(1),
      ',': () => this.#player.step(-1),
    }
    if (!(event.key in actions)) return
    event.preventDefault()
    actions[event.key]()
  }
}

function speedFor({ delay }: Settings): number {
  return (2 * delay) / ROUND_TRIP_SHOWN
}

/** Settings stand in the address, so that an experiment can be handed on. */
function hashOf(settings: Settings): string {
  const words = new URLSearchParams(Object.entries(settings).map(([name, value]) => [name, String(value)]))
  return `#experiment?${words}`
}

function settingsOf(hash: string): Settings {
  const words = new URLSearchParams(hash.split('?')[1] ?? '')
  const settings: Record<string, unknown> = { ...DEFAULTS }
  for (const [name, standard] of Object.entries(DEFAULTS)) {
    const text = words.get(name)
    if (text === null) continue
    if (typeof standard === 'number' && Number.isFinite(Number(text)) && Number(text) >= 0)
      settings[name] = Number(text)
    else if (typeof standard === 'boolean') settings[name] = text === 'true'
    else if (text === 'cubic' || text === 'reno' || text === 'bbr') settings[name] = text
  }
  return settings as unknown as Settings
}
