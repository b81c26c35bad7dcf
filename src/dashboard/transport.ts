// The buttons and sliders by which somebody moves through an experiment's time.
import { drawing, element, write } from './elements.ts'
import { moment } from './figures.ts'
import type { Player } from './player.ts'

/** From a thousandth of real speed up to twenty times it, in even ratios. */
const SLOWEST = 0.0005
const FASTEST = 2
const STEPS = 1000
const PLACES = 10_000

const SHAPES = {
  play: 'M7 4.5 L19.5 12 L7 19.5 Z',
  pause: 'M6.5 5 H10 V19 H6.5 Z M14 5 H17.5 V19 H14 Z',
  next: 'M5 5 L14 12 L5 19 Z M16 5 H18.6 V19 H16 Z',
  back: 'M19 5 L10 12 L19 19 Z M5.4 5 H8 V19 H5.4 Z',
  first: 'M19 5 L11.5 12 L19 19 Z M12 5 L4.5 12 L12 19 Z',
  last: 'M5 5 L12.5 12 L5 19 Z M12 5 L19.5 12 L12 19 Z',
}

export class Transport {
  readonly root: HTMLElement
  readonly #player: Player
  readonly #play: HTMLButtonElement
  readonly #scrub: HTMLInputElement
  readonly #speed: HTMLInputElement
  readonly #speedText = element('output', {})
  readonly #time = element('output', { class: 'clock' })
  #playsNow: boolean | null = null

  constructor(player: Player) {
    this.#player = player
    this.#play = button('Play', 'play', () => (player.isPlaying ? player.pause() : player.play()))
    this.#play.classList.add('main')
    this.#scrub = element('input', {
      type: 'range',
      class: 'scrub',
      min: 0,
      max: PLACES,
      value: 0,
      'aria-label': 'The moment that is shown',
    })
    this.#scrub.addEventListener('input', () => {
      const part = this.#scrub.valueAsNumber / PLACES
      player.pause()
      player.seek(part * player.duration)
    })
    this.#speed = element('input', { type: 'range', min: 0, max: STEPS, 'aria-label': 'Speed' })
    this.#speed.addEventListener('input', () =>
      this.setSpeed(SLOWEST * (FASTEST / SLOWEST) ** (this.#speed.valueAsNumber / STEPS)),
    )
    this.root = element(
      'div',
      { class: 'transport', role: 'group', 'aria-label': 'Time' },
      element(
        'div',
        { class: 'buttons' },
        button('To the beginning', 'first', () => {
          player.pause()
          player.seek(0)
        }),
        button('One packet back', 'back', () => player.step(-1)),
        this.#play,
        button('One packet on', 'next', () => player.step(1)),
        button('To the end', 'last', () => player.toEnd()),
      ),
      this.#time,
      element('label', { class: 'speed' }, element('span', {}, 'Speed'), this.#speed, this.#speedText),
      this.#scrub,
    )
  }

  setSpeed(speed: number): void {
    this.#player.speed = speed
    this.#speed.value = String((Math.log(speed / SLOWEST) / Math.log(FASTEST / SLOWEST)) * STEPS)
    const words =
      speed < 0.95
        ? `${Number((1 / speed).toPrecision(2))} × slower`
        : speed < 1.06
          ? 'as in life'
          : `${speed.toFixed(1)} × faster`
    write(this.#speedText, words)
    this.#speed.setAttribute('aria-valuetext', words)
  }

  show(): void {
    const { at, duration, isPlaying, experiment } = this.#player
    write(this.#time, moment(at))
    this.#scrub.value = String(duration === 0 ? 0 : Math.round((at / duration) * PLACES))
    this.#scrub.setAttribute('aria-valuetext', moment(at))
    for (const one of this.root.querySelectorAll('button, input'))
      (one as HTMLButtonElement).disabled = experiment === null
    if (isPlaying === this.#playsNow) return
    this.#playsNow = isPlaying
    this.#play.replaceChildren(icon(isPlaying ? 'pause' : 'play'))
    this.#play.setAttribute('aria-label', isPlaying ? 'Pause' : 'Play')
    this.#play.title = isPlaying ? 'Pause' : 'Play'
  }
}

function button(label: string, shape: keyof typeof SHAPES, click: () => void): HTMLButtonElement {
  return element('button', { type: 'button', class: 'icon', 'aria-label': label, title: label, click }, icon(shape))
}

function icon(shape: keyof typeof SHAPES): SVGSVGElement {
  return drawing('svg', { viewBox: '0 0 24 24', 'aria-hidden': 'true' }, drawing('path', { d: SHAPES[shape] }))
}
