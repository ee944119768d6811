"""Programs nobody wrote for us, and what a debugger says about the same maps."""
import contextlib
import os
import re
import socket
import tempfile
import time
import urllib.error
import urllib.request

import builds
import compare
import targets
from harness import Failure, add, note, require

START_TIMEOUT_S = 60
PROXIED = ('github.com/nats-io/nats-server/v2', 'v2.10.22')
DEBUGGER_TIMEOUT_S = 120


def free_ports(count):
    """Ports that nobody has, no two alike."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for s in sockets:
            s.bind(('127.0.0.1', 0))
        return [s.getsockname()[1] for s in sockets]


def wait_for(url, process):
    """Until the service answers; a failure when it ends first or never does."""
    end = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end:
        if not process.alive():
            raise Failure(f'the service ended with {process.child.returncode}')
        try:
            urllib.request.urlopen(url, timeout=5).read()
            return
        except urllib.error.HTTPError:
            return  # It speaks, and that is enough.
        except OSError:
            time.sleep(0.05)
    raise Failure(f'{url} did not answer within {START_TIMEOUT_S} s')


def require_plausible(process, least_maps):
    """Sound censuses, twice, which agree about what does not change, and mostly do."""
    first = targets.census(process.pid)
    by_address = compare.require_sound(first)
    require(len(by_address) >= least_maps, f'only {len(by_address)} maps')
    again = compare.require_sound(targets.census(process.pid))
    owned = {a for a, m in by_address.items() if m['owner']}  # Others may be garbage by now.
    require(len(owned & set(again)) >= 0.9 * len(owned), 'most maps are elsewhere a moment later')
    verified = sum(m['confidence'] == 'verified' for m in first['maps'])
    entries = sum(m['entries'] for m in first['maps'])
    note(f'{os.path.basename(first["target"]["exe"])} {first["target"]["go_version"]}: '
         f'{len(by_address)} maps, {verified} verified, {entries} entries, '
         f'{first["coverage"]["typed"]} typed, skipped {first["coverage"]["skipped"]}, '
         f'{first["cost"]["wall_s"]:.2f} s')
    require(process.alive(), 'the service died')


@contextlib.contextmanager
def prometheus():
    """Debian's Prometheus, which watches itself once a second."""
    binary, (port,) = targets.need_command('prometheus'), free_ports(1)
    with tempfile.TemporaryDirectory(prefix='mapscope-live-') as folder:
        config = os.path.join(folder, 'prometheus.yml')
        with open(config, 'w') as f:
            f.write(f'scrape_configs:\n- job_name: self\n  scrape_interval: 1s\n'
                    f'  static_configs:\n  - targets: ["127.0.0.1:{port}"]\n')
        command = [binary, f'--config.file={config}', f'--storage.tsdb.path={folder}/data',
                   f'--web.listen-address=127.0.0.1:{port}']
        with targets.Process(command, cwd=folder) as process:
            process.url = f'http://127.0.0.1:{port}'
            wait_for(process.url + '/-/ready', process)
            yield process


@contextlib.contextmanager
def etcd():
    """Debian's etcd, a cluster of one."""
    binary, (port, peer) = targets.need_command('etcd'), free_ports(2)
    with tempfile.TemporaryDirectory(prefix='mapscope-live-') as folder:
        client, other = f'http://127.0.0.1:{port}', f'http://127.0.0.1:{peer}'
        command = [binary, '--data-dir', folder + '/data', '--listen-client-urls', client,
                   '--advertise-client-urls', client, '--listen-peer-urls', other,
                   '--initial-advertise-peer-urls', other, '--initial-cluster', f'default={other}']
        with targets.Process(command, cwd=folder) as process:
            process.url = client
            wait_for(process.url + '/version', process)
            yield process


@contextlib.contextmanager
def caddy():
    """Debian's Caddy with one site."""
    binary, (port, admin) = targets.need_command('caddy'), free_ports(2)
    with tempfile.TemporaryDirectory(prefix='mapscope-live-') as folder:
        config = os.path.join(folder, 'Caddyfile')
        with open(config, 'w') as f:
            f.write(f'{{\n\tadmin 127.0.0.1:{admin}\n\tauto_https off\n}}\n'
                    f'http://127.0.0.1:{port} {{\n\trespond "hello"\n}}\n')
        home = dict(os.environ, HOME=folder, XDG_DATA_HOME=folder, XDG_CONFIG_HOME=folder)
        command = [binary, 'run', '--config', config, '--adapter', 'caddyfile']
        with targets.Process(command, cwd=folder, env=home) as process:
            process.url = f'http://127.0.0.1:{port}'
            wait_for(process.url + '/', process)
            yield process


def plausible(service, least_maps):
    with service() as process:
        require_plausible(process, least_maps)


def from_the_proxy():
    package, version = PROXIED
    binary = builds.module_program(package, version, builds.NEWEST)
    port, monitor = free_ports(2)
    with tempfile.TemporaryDirectory(prefix='mapscope-live-') as folder:
        command = [binary, '-a', '127.0.0.1', '-p', port, '-m', monitor, '-js', '-sd', folder]
        with targets.Process(command, cwd=folder) as process:
            wait_for(f'http://127.0.0.1:{monitor}/varz', process)
            require_plausible(process, 100)


GLOBALS = ('GlobalConfig', 'GlobalOrders', 'GlobalFlags', 'GlobalEmpty', 'GlobalGrid')


def debugger_agrees(debugger, release):
    """The second opinion: what dlv reads out of the stopped process for the same maps."""
    with targets.Truth(builds.go_program('truth', release, 'normal'), '-maps', 100) as target:
        by_address = compare.require_sound(targets.census(target.pid))
        address = {m['label']: m['address'] for m in target.maps}
        with tempfile.NamedTemporaryFile('w', suffix='.dlv') as script:
            script.write(''.join(f'print len(main.{name})\n' for name in GLOBALS))
            script.flush()
            said = ask_debugger([debugger, 'attach', str(target.pid), '--init', script.name,
                                 '--allow-non-terminal-interactive=true'])
        lengths = [int(n) for n in re.findall(r'^(?:\(dlv\) )*(\d+)$', said, re.M)]
        require(len(lengths) == len(GLOBALS), f'the debugger said: {said[-600:]}')
        for name, length in zip(GLOBALS, lengths):
            seen = by_address[address[f'main.{name}']]['entries']
            require(seen == length, f'{name} has {seen} entries, the debugger says {length}')
        target.finish()


def ask_debugger(command):
    with tempfile.TemporaryDirectory(prefix='mapscope-live-') as home:
        process = targets.Process(command, env=dict(os.environ, HOME=home), stderr=-2)
        with process:
            process.send('exit\nn')  # No: the process is not to be killed.
            process.child.stdin.flush()
            said, end = '', time.monotonic() + DEBUGGER_TIMEOUT_S
            while time.monotonic() < end:
                try:
                    said += process.line(1) + '\n'
                except Failure:
                    if not process.alive():
                        return said + process.pending.decode(errors='replace')
    raise Failure(f'the debugger did not end: {said[-400:]}')


def debian_debugger():
    debugger_agrees(targets.need_command('dlv'), '1.19.4')


def newest_debugger():
    dlv = builds.module_program('github.com/go-delve/delve/cmd/dlv', 'latest', builds.NEWEST)
    for release in ('1.24.13', builds.NEWEST):
        debugger_agrees(dlv, release)


add('real/prometheus', 'check', plausible, prometheus, 1000)
add('real/etcd', 'check', plausible, etcd, 100)
add('real/caddy', 'check', plausible, caddy, 100)
add(f'real/{PROXIED[0]}', 'long', from_the_proxy)
add('debugger/dlv of the machine, go1.19.4', 'check', debian_debugger)
add('debugger/newest dlv', 'long', newest_debugger)
