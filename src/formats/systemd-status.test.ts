import fc from 'fast-check'
import { expect, test } from 'vitest'
import { withUnitPath, withUnlinkedUnit } from './systemd-status.ts'
import { anyText } from './test-text.ts'

/** Any UTF-16 unit: control characters and halves of surrogate pairs too. */

const unitPath = '/var/lib/containers/units/sh/ctr-shop-web.service'

function status(loaded: string): string {
  return [
    '● ctr-shop-web.service - Container shop-web',
    `     Loaded: ${loaded}`,
    '     Active: active (running) since Sun 2026-11-22 10:00:00 UTC; 5s ago',
    '   Main PID: 4711 (docker-wait)',
    '',
    'Nov 22 10:00:00 node7 ctr-shop-web[4711]:      Loaded: loaded (/etc/systemd/system/ctr-shop-web.service; enabled)',
    '     Loaded: loaded (/etc/systemd/system/ctr-shop-web.service; enabled)',
    '',
  ].join('\n')
}

test.each([
  ['loaded (/etc/systemd/system/ctr-shop-web.service; enabled; preset: enabled)', `loaded (${unitPath}; enabled)`],
  ['loaded (/etc/systemd/system/ctr-shop-web.service; enabled; vendor preset: enabled)', `loaded (${unitPath}; enabled)`],
  ['loaded (/etc/systemd/system/ctr-shop-web.service; enabled)', `loaded (${unitPath}; enabled)`],
  ['loaded (/etc/systemd/system/ctr-shop-web.service; disabled; preset: enabled)', `loaded (${unitPath}; disabled)`],
  ['loaded (/etc/systemd/system/ctr-shop-web.service; linked; preset: enabled)', `loaded (${unitPath}; linked)`],
  ['loaded (/run/systemd/system/ctr-shop-web.service; enabled-runtime; preset: enabled)', `loaded (${unitPath}; enabled-runtime)`],
  [`loaded (${unitPath}; enabled; preset: enabled)`, `loaded (${unitPath}; enabled)`],
])('%s becomes what clients look for', (given, wanted) => {
  expect(withUnitPath(status(given), unitPath)).toBe(status(wanted))
})

test.each([
  'not-found (Reason: Unit ctr-shop-web.service not found.)',
  'masked (Reason: Unit ctr-shop-web.service is masked.)',
  'error (Reason: Invalid argument)',
  'bad-setting (Reason: Unit ctr-shop-web.service has a bad unit file setting.)',
  'loaded (/etc/systemd/system/other.service; enabled; preset: enabled)',
  'loaded',
])('%s stays as it is', loaded => {
  expect(withUnitPath(status(loaded), unitPath)).toBe(status(loaded))
})

test('what the container has written is never changed', () => {
  const text = `● ctr-shop-web.service\n\n     Loaded: loaded (/etc/systemd/system/ctr-shop-web.service; enabled; preset: enabled)\n`
  expect(withUnitPath(text, unitPath)).toBe(text)
})

test('a unit that is installed and not linked is not one that could not be found', () => {
  expect(withUnlinkedUnit('Unit ctr-shop-web.service could not be found.\n', unitPath)).toBe(
    `* ctr-shop-web.service\n     Loaded: loaded (${unitPath}; disabled)\n     Active: inactive (dead)\n`,
  )
  for (const text of [status('loaded'), '', 'Unit a could not be found.\nmore']) expect(withUnlinkedUnit(text, unitPath)).toBe(text)
})

test('every text is taken', () => {
  fc.assert(
    fc.property(anyText, text => {
      expect(withUnitPath(text, unitPath)).toBe(text)
    }),
  )
})
