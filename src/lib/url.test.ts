import { expect, test } from 'vitest'
import { urlWithoutSecrets } from './url.ts'

test.each([
  ['https://user:secret@example.com:8443/path?token=x#y', 'https://example.com:8443/path'],
  ['http://example.com', 'http://example.com/'],
  ['no url at all', 'no url at all'],
])('%s is shown as %s', (url, shown) => {
  expect(urlWithoutSecrets(url)).toBe(shown)
})
