/**
 * The documents whose commands are run on lab hosts by `scenarios/guides.test.ts`, and what their readers have already when they come to a block: a
 * source to build, an image, a key. Readers sit at node7, which web1 is another name of; node8 and node9 are the other hosts.
 */

export interface ToldDocument {
  readonly path: string
  /** Run on the reader's host before the block whose first command begins so. */
  readonly before?: Readonly<Record<string, string>>
}

const cleanHere = 'gear list-units --all -q | xargs -r gear delete --all'

const isolatedShop = `${cleanHere}; gear install acme/shop shop --isolate -v /data --start --wait; gear exec shop -- sh -c 'echo a > /data/report.csv'`

/** A source that the builder image of the lab makes an image of, in the current folder. */
const source = `
  rm -rf ./.git ./.s2i; mkdir -p .s2i/bin
  printf '#!/bin/sh\\necho built > /www/index.html\\n' > .s2i/bin/assemble; printf '#!/bin/sh\\nexec /app/serve\\n' > .s2i/bin/run; chmod 755 .s2i/bin/*
  git init -q -b main; git add .s2i; git -c user.name=ann -c user.email=ann@example.com commit -q -m one`

export const toldDocuments: readonly ToldDocument[] = [
  {
    path: 'README.md',
    before: {
      'gear install gear/httpd shop': `${cleanHere}; ip address add 10.1.2.3/32 dev lo; systemd-run -q --unit=told-link busybox nc -ll -p 4100 -e /bin/true`,
      'gear cp web1/shop': isolatedShop,
      'gear create-repo shop-src': source,
      'gear api runJob': `printf '#!/bin/sh\\necho "$@"\\n' > check; chmod 755 check; docker create --name told gear/httpd; docker cp check told:/bin/check; docker commit told acme/tool; docker rm told`,
    },
  },
  {
    path: 'docs/guide/remote-hosts.md',
    before: {
      'gear list-units node7 node8': `${cleanHere}
        for host in node7 node8 node9; do ssh $host 'install -d -m 700 /etc/gear; umask 077; cat > /etc/gear/token; systemctl restart gear' < /etc/gear/token; done
        printf '* %s\\n' "$(cat /etc/gear/token)" > ~/.config/gear/tokens`,
    },
  },
  {
    path: 'docs/guide/command-line.md',
    before: {
      'gear stop web-1 --dry-run': 'gear install acme/shop web-1 --start --wait',
      'gear install acme/shop web-1 -p 8080:0':
        'gear delete --all web-1; gear install acme/shop web-1 --isolate --memory 1g -v /data --start --wait',
      'ssh -N -L': 'gear install acme/shop shop',
    },
  },
  { path: 'docs/guide/deployments.md', before: { 'gear deploy shop.yaml': cleanHere } },
  { path: 'docs/guide/from-geard.md', before: { 'gear install acme/shop web-1': cleanHere } },
  { path: 'docs/guide/podman.md', before: { 'gear install acme/shop shop': cleanHere } },
  {
    path: 'docs/guide/git.md',
    before: {
      'gear create-repo shop-src  ': 'gear delete-repo shop-src',
      'gear create-repo shop-src --githost': 'gear delete-repo shop-src; docker tag gear/githost acme/githost',
      'curl -O -J': `gear delete-repo shop-src; gear create-repo shop-src; gear add-keys repo://shop-src --write --key-file ~/.ssh/id_ed25519.pub
        ${source}; git tag v1.2; git branch feature/cart; git push -q git-shop-src@node7:~ main v1.2 feature/cart`,
      'gear create-repo shop-src --build': `gear delete-repo shop-src; ${cleanHere}; gear install acme/shop shop --start --wait; ${source}`,
    },
  },
]
