/**
 * A builder image of today's kind, made on a lab host by hand: Node and npm of this machine on the busybox of the lab, with the scripts of
 * fixtures/node-builder, for a user of its own.
 */
import type { EngineName } from './lab-engine.ts'
import type { LabHost } from './lab-host.ts'

/** Where this checkout is on a lab host. */
export const fixturesOnHost = '/usr/src/gear/test/host/fixtures'

const changes = [
  'LABEL io.openshift.s2i.scripts-url=image:///usr/libexec/s2i',
  'USER 1001',
  'ENV HOME=/app',
  'ENV PATH=/bin:/usr/bin',
  'EXPOSE 8080',
]

export async function makeNodeBuilder(host: LabHost, engine: EngineName, name: string): Promise<void> {
  const options = changes.map(change => `-c '${change}'`).join(' ')
  await host.sh(`
    folder=$(mktemp -d); cd $folder
    mkdir -p usr/libexec/s2i usr/bin usr/lib/node_modules app
    cp ${fixturesOnHost}/node-builder/* usr/libexec/s2i/
    cp -L /usr/lib/gear/bin/node usr/bin/node
    cp -R /usr/lib/node_modules/npm usr/lib/node_modules/npm
    printf '#!/bin/sh\\nexec node /usr/lib/node_modules/npm/bin/npm-cli.js "$@"\\n' > usr/bin/npm; chmod 755 usr/bin/npm
    for library in $(ldd usr/bin/node | grep -o '/[^ ]*'); do mkdir -p ".$(dirname $library)"; cp -L "$library" ".$library"; done
    chown 1001:1001 app
    ${engine} create --name node-builder gear/busybox true
    tar -c . | ${engine} cp --archive=false - node-builder:/
    ${engine} commit ${options} node-builder ${name}
    ${engine} rm node-builder; cd /; rm -r $folder`)
}
