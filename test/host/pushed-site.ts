/**
 * A static site that is built by pushing it: its page is index.html, and `assemble` says what that has in it. The file `broken` makes it fail, a page
 * that ends in `slowly` makes it take four seconds, and of `large` it tells the sum.
 */
import { type LabHost, type Outcome, until } from './lab-host.ts'
import { makePusher, type Pusher } from './pusher.ts'

export interface PushedSite extends Pusher {
  /** Changes the page and pushes, after some lines of shell in the clone; what the pusher saw. */
  pushPage(page: string, more?: string): Promise<Outcome>
  /** Waits until what was pushed is being built. Nothing else is built on the host meanwhile. */
  untilBuilding(): Promise<void>
}

const assemble = `#!/bin/sh
echo assembling $(cat /tmp/src/index.html)
cp /tmp/src/index.html /www/index.html
[ ! -e /tmp/src/broken ] || { echo "cannot find module left-pad"; exit 3; }
case "$(cat /tmp/src/index.html)" in *slowly) sleep 4 ;; esac
[ ! -e /tmp/src/large ] || sha256sum /tmp/src/large
`

/** In an empty clone of the repository, which is there. */
export async function makePushedSite(host: LabHost, id: string, folder: string): Promise<PushedSite> {
  const pusher = await makePusher(host, id, folder)
  await host.sh(`mkdir -p ${pusher.folder}/.s2i/bin; cat > ${pusher.folder}/.s2i/bin/assemble`, { input: assemble })
  await host.sh(`cd ${pusher.folder}/.s2i/bin; printf '#!/bin/sh\\nexec /app/serve\\n' > run; chmod 755 *`)
  return {
    ...pusher,
    pushPage: (page, more = '') =>
      pusher.run(`${more} echo '${page}' > index.html; git add .; git commit -q -m '${page}'; git push origin main`),
    untilBuilding: () =>
      until('what was pushed is being built', async () =>
        (await host.sh('systemctl list-units --plain --no-legend "build-*"')) === '' ? 'it is not' : true,
      ),
  }
}
