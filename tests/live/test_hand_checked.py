"""Owners in Debian's programs, which are stripped, held to what their sources say.

Each row was read in the source of the version that Debian 12 has: prometheus 2.42.0, etcd 3.4.23,
caddy 2.6.2.  What a variable's name would be stands beside the rows that a global holds; the
program has lost it.
"""
import json
import re
import time
import urllib.request
from collections import namedtuple

import compare
import targets
from harness import Failure, add, require_none
from test_real import START_TIMEOUT_S, caddy, etcd, prometheus

# Owner: a regular expression of the whole.  Types: as Go prints them, named and plain.  Maps: how
# many such there are, or at least when more is True.  Entries: of the largest of them, at least.
Held = namedtuple('Held', 'owner types maps entries more', defaults=(False,))

# One stripe of the table of series for each of 1 << 14.
STRIPES = 16384


def from_root(field):
    """A field of a struct, from whatever root it is reached: most hang from main's own stack."""
    return re.escape(field) + ' <- .+'


def used_in(package):
    """A global that up to three functions use, one of them at least in that package."""
    return r'global 0x[0-9a-f]+ \((?:[^ ]+, )*' + re.escape(package) + r'\.[^ ,/]+(?:, [^ ]+)*\)'


PROMETHEUS = (
    # tsdb/head.go: type stripeSeries, made by newStripeSeries.
    Held(from_root('tsdb.stripeSeries.hashes[]'),
         ('tsdb.seriesHashmap', 'map[uint64][]*tsdb.memSeries'), STRIPES, 1),
    Held(from_root('tsdb.stripeSeries.series[]'),
         ('map[chunks.HeadSeriesRef]*tsdb.memSeries',), STRIPES, 1),
    # tsdb/index/postings.go: label name to label value to series.
    Held(from_root('index.MemPostings.m'),
         ('map[string]map[string][]storage.SeriesRef',), 1, 10),
    Held(from_root('index.MemPostings.m[]'), ('map[string][]storage.SeriesRef',), 10, 1, True),
    # scrape/manager.go and scrape.go: one job with one target.
    Held(from_root('scrape.Manager.scrapePools'), ('map[string]*scrape.scrapePool',), 1, 1),
    Held(from_root('scrape.scrapePool.activeTargets'), ('map[uint64]*scrape.Target',), 1, 1),
    Held(from_root('scrape.scrapeCache.series'), ('map[string]*scrape.cacheEntry',), 1, 100),
    # rules/manager.go: no rules.
    Held(from_root('rules.Manager.groups'), ('map[string]*rules.Group',), 1, 0),
    # client_golang 1.14 prometheus/registry.go and vec.go.
    Held(from_root('prometheus.Registry.collectorsByID'), ('map[uint64]prometheus.Collector',), 1,
         50, True),
    Held(from_root('prometheus.metricMap.metrics'),
         ('map[uint64][]prometheus.metricWithLabelValues',), 20, 1, True),
    # promql/parser/functions.go: Functions; promql/functions.go: FunctionCalls.
    Held(used_in('github.com/prometheus/prometheus/promql/parser'),
         ('map[string]*parser.Function',), 1, 50),
    Held(used_in('github.com/prometheus/prometheus/promql'), ('map[string]promql.FunctionCall',), 1,
         50),
)

ETCD = (
    # lease/lessor.go: no leases.
    Held(from_root('lease.lessor.leaseMap'), ('map[lease.LeaseID]*lease.Lease',), 1, 0),
    Held(from_root('lease.lessor.itemMap'), ('map[lease.LeaseItem]lease.LeaseID',), 1, 0),
    # etcdserver/api/membership/cluster.go: a cluster of one.
    Held(from_root('membership.RaftCluster.members'), ('map[types.ID]*membership.Member',), 1, 1),
    Held(from_root('membership.RaftCluster.removed'), ('map[types.ID]bool',), 1, 0),
    # mvcc/watchable_store.go: two groups of watchers inside of the store.
    Held(from_root('mvcc.watchableStore.synced.keyWatchers'),
         ('mvcc.watcherSetByKey', 'map[string]mvcc.watcherSet'), 1, 0),
    Held(from_root('mvcc.watchableStore.unsynced.watchers'),
         ('mvcc.watcherSet', 'map[*mvcc.watcher]struct {}'), 1, 0),
    # raft/raft.go: a tracker by value, its progress of one node.
    Held(from_root('raft.raft.prs.Progress'),
         ('tracker.ProgressMap', 'map[uint64]*tracker.Progress'), 1, 1),
    # etcdserver/api/v2store/node.go: directories, the root among them.
    Held(from_root('v2store.node.Children'), ('map[string]*v2store.node',), 3, 2, True),
    # auth/store.go: nobody logged in.
    Held(from_root('auth.authStore.rangePermCache'),
         ('map[string]*auth.unifiedRangePermissions',), 1, 0),
)

CADDY = (
    # modules.go: modules; caddyconfig: configAdapters, registeredDirectives; cmd: commands.
    Held(used_in('github.com/caddyserver/caddy/v2'), ('map[string]caddy.ModuleInfo',), 1, 50),
    Held(used_in('github.com/caddyserver/caddy/v2/caddyconfig'),
         ('map[string]caddyconfig.Adapter',), 1, 1),
    Held(used_in('github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile'),
         ('map[string]httpcaddyfile.UnmarshalFunc',), 1, 20),
    # RegisterCommand of this version looks into commands and never adds to it.
    Held(used_in('github.com/caddyserver/caddy/v2/cmd'), ('map[string]caddycmd.Command',), 1, 0),
    # modules/caddyhttp/app.go: one site, so one server.
    Held(from_root('caddyhttp.App.Servers'), ('map[string]*caddyhttp.Server',), 1, 1),
    # caddy.go: the applications that run.
    Held(from_root('caddy.Config.apps'), ('map[string]caddy.App',), 1, 1),
    # usagepool.go: the pools of listeners, writers and hosts are package variables.
    Held(from_root('caddy.UsagePool.pool'), ('map[interface {}]*caddy.usagePoolVal',), 3, 1, True),
)


def wait_for_samples(process):
    """Until Prometheus has stored what it saw of itself."""
    end = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(process.url + '/api/v1/query?query=up',
                                        timeout=5) as answer:
                if json.load(answer)['data']['result']:
                    return
        except OSError:
            pass  # Ready, and yet not ready for queries.
        time.sleep(0.1)
    raise Failure('Prometheus stored no sample')


def differences(held, rows):
    """What of a row of the table is not so.

    A global's expression may fit several variables of one package, which their types tell apart; a
    field's map is looked for by its name alone, so that a wrong type is seen."""
    named = [m for m in rows if m['owner'] and re.fullmatch(held.owner, m['owner'])]
    if held.owner.startswith('global'):
        named = [m for m in named if m['type'] in held.types]
    typed = [m for m in named if m['type'] in held.types]
    title = f'{held.owner} {held.types[0]}'
    wrong = []
    if len(typed) < len(named):
        other = next(m['type'] for m in named if m['type'] not in held.types)
        wrong.append(f'{title}: {len(named) - len(typed)} of another type, such as {other}')
    if len(named) < held.maps or (len(named) > held.maps and not held.more):
        wrong.append(f'{title}: {len(named)} maps, not {held.maps}'
                     f'{" or more" if held.more else ""}{rightly_typed(held, rows)}')
    elif max(m['entries'] for m in named) < held.entries:
        wrong.append(f'{title}: {max(m["entries"] for m in named)} entries at most, not '
                     f'{held.entries}')
    return wrong


def rightly_typed(held, rows):
    """A hint for who reads a failure: under which name maps of this type are."""
    owners = {m['owner'] for m in rows if m['type'] in held.types}
    return f'; maps of that type are {sorted(map(str, owners))[:3]}' if owners else ''


def as_written(service, table, prepare=None):
    """A service works: a census counts what it met in the middle of a write as skipped, and is taken again."""
    with service() as process:
        if prepare:
            prepare(process)
        until = time.monotonic() + START_TIMEOUT_S
        while True:
            document = targets.census(process.pid)
            compare.require_sound(document)
            wrong = [p for held in table for p in differences(held, document['maps'])]
            if not wrong or not any(document['coverage']['skipped'].values()) or time.monotonic() > until:
                break
        require_none(wrong, f'of {len(table)} owners not as the source says')


add('real/prometheus/owners', 'check', as_written, prometheus, PROMETHEUS, wait_for_samples)
add('real/etcd/owners', 'check', as_written, etcd, ETCD)
add('real/caddy/owners', 'check', as_written, caddy, CADDY)
