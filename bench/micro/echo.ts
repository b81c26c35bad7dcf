// A batch of 64 packets through the core, and through a whole turn of the driver: the calls whose garbage is measured too.
import { echo as claims } from '../garbage/echo.ts'
import type { Suite } from './suite.ts'

export const echo: Suite = Object.fromEntries(claims.map(({ name, prepare }) => [`64 × ${name}`, () => prepare().call]))
