// Plays an experiment: runs it ahead, and moves the moment that is shown, by a clock of animation frames, at the speed that was chosen;
// or packet by packet, forth and back. Who asked for less motion gets a few still pictures a second.
import { wantsCalm } from './elements.ts'
import type { Experiment } from './experiment.ts'

/** Milliseconds of a frame that the simulation may take. */
const BUDGET = 8
/** Milliseconds between two refreshments of what is costly to draw. */
const COSTLY = 120
const CALM = 500
/** A frame that comes after a pause of the page doesn't make up for it. */
const LONGEST_FRAME = 100

export interface PlayerView {
  /** Every frame. */
  move(player: Player): void
  /** A few times a second, and whenever somebody has chosen a moment. */
  refresh(player: Player): void
}

export class Player {
  readonly #view: PlayerView
  #experiment: Experiment | null = null
  #at = 0
  #count = 0
  #isPlaying = false
  /** Virtual milliseconds for each real one. */
  speed = 0.05
  #frame = 0
  #lastFrame = 0
  #lastRefresh = 0

  constructor(view: PlayerView) {
    this.#view = view
  }

  get experiment(): Experiment | null {
    return this.#experiment
  }

  /** Virtual milliseconds. */
  get at(): number {
    return this.#at
  }

  /** How much of the log is shown. */
  get count(): number {
    return this.#count
  }

  get isPlaying(): boolean {
    return this.#isPlaying
  }

  get isAtEnd(): boolean {
    const experiment = this.#experiment
    if (experiment === null) return false
    return experiment.isDone && this.#count >= experiment.conversation.log.length
  }

  /** As far as it is known. */
  get duration(): number {
    return Math.max(this.#experiment?.now ?? 0, this.#at)
  }

  load(experiment: Experiment, at = 0): void {
    this.#experiment = experiment
    this.seek(at)
    this.#ask()
  }

  play(): void {
    if (this.#experiment === null || this.#isPlaying) return
    if (this.isAtEnd) this.seek(0)
    this.#isPlaying = true
    this.#lastFrame = performance.now()
    this.#ask()
    this.#view.refresh(this)
  }

  pause(): void {
    this.#isPlaying = false
    this.#view.refresh(this)
  }

  /** Shows that moment, and all that has happened until then. */
  seek(at: number): void {
    const experiment = this.#experiment
    if (experiment === null) return
    experiment.run(at + experiment.longestFlight, Number.POSITIVE_INFINITY)
    this.#at = Math.max(0, experiment.isDone ? Math.min(at, experiment.now) : at)
    this.#count = experiment.conversation.upTo(this.#at)
    this.#view.refresh(this)
  }

  /** One packet on, or back. */
  step(by: 1 | -1): void {
    const experiment = this.#experiment
    if (experiment === null) return
    this.#isPlaying = false
    const { log } = experiment.conversation
    while (!experiment.isDone && log.length <= this.#count + 1)
      experiment.run(experiment.now + experiment.longestFlight)
    this.#count = Math.min(log.length, Math.max(0, this.#count + by))
    this.#at = this.#count === 0 ? 0 : log[this.#count - 1].at
    experiment.run(this.#at + experiment.longestFlight, BUDGET * 4)
    this.#view.refresh(this)
  }

  toEnd(): void {
    const experiment = this.#experiment
    if (experiment === null) return
    this.#isPlaying = false
    experiment.run(Number.POSITIVE_INFINITY)
    this.seek(experiment.now)
  }

  #ask(): void {
    if (this.#frame !== 0) return
    this.#frame = requestAnimationFrame((now) => this.#onFrame(now))
  }

  #onFrame(now: number): void {
    this.#frame = 0
    const experiment = this.#experiment
    if (experiment === null) return
    const wasDone = experiment.isDone
    experiment.run(Number.POSITIVE_INFINITY, BUDGET)
    const step = wantsCalm() ? CALM : 0
    const passed = now - this.#lastFrame
    if (this.#isPlaying && passed >= step) {
      this.#lastFrame = now
      this.#advance(experiment, Math.min(passed, LONGEST_FRAME + step))
      this.#view.move(this)
    }
    const isCostlyDue = now - this.#lastRefresh >= COSTLY
    if ((this.#isPlaying && passed >= step && isCostlyDue) || wasDone !== experiment.isDone) {
      this.#lastRefresh = now
      this.#view.refresh(this)
    }
    if (this.#isPlaying || !experiment.isDone) this.#ask()
  }

  #advance(experiment: Experiment, passed: number): void {
    const wished = this.#at + Math.max(0, passed) * this.speed
    // What is shown stays behind what is known, so that each packet's fate is known when it sets out.
    const known = experiment.isDone ? experiment.now : experiment.now - experiment.longestFlight
    this.#at = Math.max(this.#at, Math.min(wished, known))
    this.#count = Math.max(this.#count, experiment.conversation.upTo(this.#at))
    if (this.isAtEnd && this.#at >= experiment.now) {
      this.#isPlaying = false
      this.#view.refresh(this)
    }
  }
}
