// The page: which of its views is shown, by the part of the address after `#`, and whether it is day or night. As static files, with
// no server to ask, it has the experiment alone.

import { find } from './elements.ts'
import { ExperimentPage } from './experiment-page.ts'
import { LivePage } from './live-page.ts'
import { colorsChanged } from './page-colors.ts'

const THEMES = ['auto', 'light', 'dark'] as const
const KEPT_AS = 'tunstack-theme'

const night = matchMedia('(prefers-color-scheme: dark)')
const isServed = document.documentElement.dataset.served === 'yes'
const main = find('main')
let experiment: ExperimentPage | null = null
let live: LivePage | null = null

/** `#experiment?…`, `#connections`, `#connection=…`. */
function route(): void {
  const hash = location.hash.slice(1)
  const isExperiment = !isServed || hash.startsWith('experiment')
  for (const link of document.querySelectorAll<HTMLAnchorElement>('nav a')) {
    const isCurrent = link.hash.startsWith('#experiment') === isExperiment
    if (isCurrent) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  if (isExperiment && experiment === null) main.append((experiment = new ExperimentPage()).root)
  if (!isExperiment && live === null) main.append((live = new LivePage()).root)
  if (experiment !== null) experiment.root.hidden = !isExperiment
  if (live !== null) live.root.hidden = isExperiment
  if (isExperiment) live?.hide()
  else {
    experiment?.hide()
    live?.show(hash.startsWith('connection=') ? decodeURIComponent(hash.slice('connection='.length)) : null)
  }
}

function setTheme(theme: string): void {
  document.documentElement.dataset.theme = theme
  setColors()
  const button = find<HTMLButtonElement>('#theme')
  button.dataset.now = theme
  button.setAttribute('aria-label', `Colours: ${theme}`)
  button.title = `Colours: ${theme}`
}

function setColors(): void {
  const { dataset } = document.documentElement
  const isDark = dataset.theme === 'dark' || (dataset.theme === 'auto' && night.matches)
  dataset.colors = isDark ? 'dark' : 'light'
  colorsChanged()
}

/** A page of a folder may have no memory of its own. */
function keptTheme(): string {
  try {
    return localStorage.getItem(KEPT_AS) ?? 'auto'
  } catch {
    return 'auto'
  }
}

find('#theme').addEventListener('click', () => {
  const now = document.documentElement.dataset.theme ?? 'auto'
  const next = THEMES[(THEMES.indexOf(now as (typeof THEMES)[number]) + 1) % THEMES.length]
  setTheme(next)
  try {
    localStorage.setItem(KEPT_AS, next)
  } catch {
    // Then it is forgotten.
  }
})
night.addEventListener('change', setColors)
setTheme(keptTheme())
if (!isServed) find('nav').hidden = true
addEventListener('hashchange', route)
route()
