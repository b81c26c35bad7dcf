// The controls of an experiment: what the path is like, which controller sends, and how much.
import { element, write } from './elements.ts'
import {
  CONTROLLERS,
  type Controller,
  DEFAULTS,
  MORE_RANGES,
  PRESETS,
  placeOf,
  RANGES,
  type Range,
  type Settings,
  valueAt,
} from './settings.ts'

const STEPS = 1000
const CONTROLLER_NAMES: Record<Controller, string> = { cubic: 'CUBIC', reno: 'Reno', bbr: 'BBR' }
const MOST_SEED = 999_999

export class ExperimentForm {
  readonly root: HTMLFormElement
  #settings: Settings
  readonly #sliders = new Map<Range, { input: HTMLInputElement; output: HTMLElement }>()
  readonly #controllers = new Map<Controller, HTMLInputElement>()
  readonly #sack: HTMLInputElement
  readonly #seed: HTMLInputElement
  readonly #presets: HTMLButtonElement[]

  constructor(settings: Settings, start: (settings: Settings) => void) {
    this.#settings = settings
    this.#presets = PRESETS.map((preset) =>
      element(
        'button',
        {
          type: 'button',
          class: 'chip',
          title: preset.what,
          'data-preset': preset.name,
          click: () => this.#take(preset.settings, preset.name, start),
        },
        preset.name,
      ),
    )
    this.#sack = element('input', {
      type: 'checkbox',
      name: 'sack',
      change: () => this.#set({ sack: this.#sack.checked }),
    })
    this.#seed = element('input', {
      type: 'number',
      name: 'seed',
      min: 1,
      max: MOST_SEED,
      step: 1,
      change: () => this.#takeSeed(),
    })
    const more = element(
      'details',
      { class: 'more' },
      element('summary', {}, 'More'),
      ...MORE_RANGES.map((range) => this.#slider(range)),
      element('label', { class: 'check' }, this.#sack, 'Selective acknowledgments (SACK)'),
      element('label', { class: 'seed' }, element('span', {}, 'Seed'), this.#seed),
      element('p', { class: 'note' }, 'One seed gives one run, packet for packet.'),
    )
    this.root = element(
      'form',
      {
        class: 'card controls',
        'aria-label': 'The experiment',
        submit: (event: Event) => this.#onSubmit(event, start),
      },
      element('h2', {}, 'The path'),
      element('div', { class: 'chips', role: 'group', 'aria-label': 'Ready-made paths' }, ...this.#presets),
      ...RANGES.map((range) => this.#slider(range)),
      this.#controllerChoice(),
      more,
      element('button', { type: 'submit', class: 'start' }, 'Start'),
    )
    this.#show()
  }

  get settings(): Settings {
    return this.#settings
  }

  #onSubmit(event: Event, start: (settings: Settings) => void): void {
    event.preventDefault()
    start(this.#settings)
  }

  #take(settings: Partial<Settings>, name: string, start: (settings: Settings) => void): void {
    const { seed, controller } = this.#settings
    this.#settings = { ...DEFAULTS, loss: 0, ...settings, seed, controller }
    this.#show()
    for (const chip of this.#presets) chip.setAttribute('aria-pressed', String(chip.dataset.preset === name))
    start(this.#settings)
  }

  #set(changes: Partial<Settings>): void {
    this.#settings = { ...this.#settings, ...changes }
    for (const chip of this.#presets) chip.setAttribute('aria-pressed', 'false')
  }

  #takeSeed(): void {
    const seed = Math.min(MOST_SEED, Math.max(1, Math.round(this.#seed.valueAsNumber || 1)))
    this.#seed.value = String(seed)
    this.#set({ seed })
  }

  #slider(range: Range): HTMLElement {
    const output = element('output', {})
    const input = element('input', { type: 'range', name: range.name, min: 0, max: STEPS, 'aria-label': range.label })
    const changed = () => {
      this.#set({ [range.name]: valueAt(range, input.valueAsNumber / STEPS) })
      this.#tell(range)
    }
    input.addEventListener('input', changed)
    this.#sliders.set(range, { input, output })
    return element('label', { class: 'slider' }, element('span', {}, range.label), output, input)
  }

  #controllerChoice(): HTMLElement {
    const choices = CONTROLLERS.map((name) => {
      const input = element('input', {
        type: 'radio',
        name: 'controller',
        value: name,
        change: () => this.#set({ controller: name }),
      })
      this.#controllers.set(name, input)
      return element('label', {}, input, element('span', {}, CONTROLLER_NAMES[name]))
    })
    return element(
      'fieldset',
      { class: 'choice' },
      element('legend', {}, 'Congestion control'),
      element('div', {}, ...choices),
    )
  }

  #show(): void {
    for (const [range, { input }] of this.#sliders) {
      input.value = String(placeOf(range, this.#settings[range.name]) * STEPS)
      this.#tell(range)
    }
    for (const [name, input] of this.#controllers) input.checked = name === this.#settings.controller
    this.#sack.checked = this.#settings.sack
    this.#seed.value = String(this.#settings.seed)
  }

  #tell(range: Range): void {
    const { input, output } = this.#sliders.get(range) as { input: HTMLInputElement; output: HTMLElement }
    const words = range.show(this.#settings[range.name])
    write(output, words)
    input.setAttribute('aria-valuetext', words)
  }
}
