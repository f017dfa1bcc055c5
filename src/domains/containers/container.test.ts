import { describe, expect, it } from 'vitest'
import { readInstalled } from './container.ts'

describe('an installed unit', () => {
  it('of the original is read like one of ours', () => {
    const text = [
      '[Unit]',
      'Description=Container sample-one',
      '',
      '[Service]',
      'Slice=container-small.slice',
      'EnvironmentFile=/var/lib/containers/env/contents/sh/shared-env',
      'ExecStart=/usr/bin/docker run --rm --name "sample-one" -p 4000:8080  "openshift/busybox-http-app"',
      '',
      '[Install]',
      'WantedBy=container.target',
      '',
      '# Gear information',
      'X-ContainerId=sample-one',
      'X-ContainerImage=openshift/busybox-http-app',
      'X-ContainerUserId=',
      'X-ContainerRequestId=ZGV0ZXJtaW5pc3RpYzEyMw',
      'X-ContainerType=simple',
      'X-PortMapping=8080:4000',
      'X-PortMapping=22:4022,nonsense,23:4023',
      '',
    ].join('\n')
    expect(readInstalled(text)).toEqual({
      engine: 'docker',
      image: 'openshift/busybox-http-app',
      requestId: 'ZGV0ZXJtaW5pc3RpYzEyMw',
      ports: [
        { internal: 8080, external: 4000 },
        { internal: 22, external: 4022 },
        { internal: 23, external: 4023 },
      ],
      environment: 'shared-env',
      slice: 'container-small.slice',
      memoryBytes: undefined,
    })
  })

  it('that is empty, as a failed install of the original leaves it, has nothing', () => {
    expect(readInstalled('')).toEqual({
      engine: 'docker',
      image: '',
      requestId: '',
      ports: [],
      environment: undefined,
      slice: 'container.slice',
      memoryBytes: undefined,
    })
  })
})
