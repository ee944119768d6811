"""The census of a process that says which maps it owns, per release and kind of build."""
import builds
import compare
import targets
from harness import add, note, require

# check: old and new, both kinds of maps, each kind of build once.
CHECKED = (('1.19.4', 'stripped'), ('1.23.12', 'pie'), ('1.24.5', 'stripped'), ('1.24.13', 'normal'),
           (builds.NEWEST, 'stripped'))

# Patch releases beside those of builds.RELEASES: the first of each minor release, and each one that
# a layout row begins or ends with.
OTHER_PATCHES = ('1.18', '1.18.10', '1.19', '1.19.2', '1.19.13', '1.20', '1.21.0', '1.22.0', '1.23.0',
                 '1.23.11', '1.24.0', '1.24.5', '1.24.6', '1.25.0', '1.26.0', '1.27.0')

# The experiments that move things, where a toolchain offers them: release, names, kind of maps.
EXPERIMENTS = (
    ('1.24.5', 'noswissmap', 'classic'),
    ('1.24.13', 'noswissmap', 'classic'),
    ('1.25.14', 'noswissmap', 'classic'),
    ('1.25.14', 'greenteagc', 'swiss+greentea'),
    ('1.25.14', 'noswissmap,greenteagc', 'classic+greentea'),
    ('1.26.11', 'nogreenteagc', 'swiss'),
    ('1.27.4', 'nogreenteagc', 'swiss'),
    ('1.27.4', 'mapsplitgroup', 'swiss+greentea+splitgroup'),
    ('1.27.4', 'mapsplitgroup,nogreenteagc', 'swiss+splitgroup'),
)

exercised = set()  # (release, kind of maps, how it was built) that passed, for proved.txt.


def kind_of(release):
    minor = int(release.split('.')[1])
    if minor < 24:
        return 'classic'
    return 'swiss' if minor < 26 else 'swiss+greentea'


def baseline_of(binary):
    """The maps of the program when it owns next to nothing: those of the runtime and libraries."""
    with targets.Truth(binary) as target:
        by_address = compare.require_sound(targets.census(target.pid))
        return compare.strangers(target, by_address)


def census_is_truth(release, variant, experiment, kind):
    binary = builds.go_program('truth', release, variant, experiment)
    baseline = baseline_of(binary)
    with targets.Truth(binary, '-maps', 10000, '-growing', '-stack', 200, '-big', 200000,
                       '-decoys', 2000, '-garbage', 500) as target:
        document = targets.census(target.pid)
        by_address = compare.require_sound(document)
        compare.require_listed(target, by_address)
        compare.require_no_decoys(target, by_address, collected=False)
        target.ask('gc')
        by_address = compare.require_sound(targets.census(target.pid))
        compare.require_listed(target, by_address)
        compare.require_no_decoys(target, by_address, collected=True)
        compare.require_same_strangers(target, by_address, baseline)
        require_target(document, release, variant)
        target.finish()
    exercised.add((f'go{release}', kind, variant))


def require_target(document, release, variant):
    t = document['target']
    require(t['go_version'] == f'go{release}', f'go_version is {t["go_version"]}')
    require(t['layout_source'] == 'table', f'layout_source is {t["layout_source"]}')
    require(t['stripped'] == (variant in ('stripped', 'pie')), f'stripped is {t["stripped"]}')


def many_decoys(release):
    binary = builds.go_program('truth', release, 'stripped')
    baseline = baseline_of(binary)
    with targets.Truth(binary, '-maps', 5000, '-decoys', 300000) as target:
        by_address = compare.require_sound(targets.census(target.pid))
        compare.require_listed(target, by_address)
        empties = compare.require_no_decoys(target, by_address, collected=True)
        compare.require_same_strangers(target, by_address, baseline)
        target.finish()
    if empties:
        note(f'{empties} of {target.ready["empty_decoys"]} objects of zeros and a seed pass for '
             'unverified, never-written maps')


def orders_and_seeds(release, order, seed):
    binary = builds.go_program('truth', release, 'stripped')
    with targets.Truth(binary, '-maps', 30000, '-order', order, '-seed', seed) as target:
        compare.require_listed(target, compare.require_sound(targets.census(target.pid)))
        target.finish()


def million_maps(release):
    binary = builds.go_program('truth', release, 'stripped')
    with targets.Truth(binary, '-maps', 1000000, '-largest', 60) as target:
        compare.require_listed(target, compare.require_sound(targets.census(target.pid)))
        target.finish()


def register():
    for release, variant in CHECKED:
        add(f'truth/go{release}/{variant}', 'check', census_is_truth, release, variant, '',
            kind_of(release))
    add('truth/go1.19.4/300,000 decoys', 'check', many_decoys, '1.19.4')
    for release in builds.RELEASES:
        for variant in builds.VARIANTS:
            if (release, variant) not in CHECKED and 'arm64' not in variant:
                add(f'truth/go{release}/{variant}', 'long', census_is_truth, release, variant, '',
                    kind_of(release))
    for release in OTHER_PATCHES:
        if (release, 'stripped') in CHECKED:
            continue
        add(f'truth/go{release}/stripped', 'long', census_is_truth, release, 'stripped', '',
            kind_of(release))
    for release, experiment, kind in EXPERIMENTS:
        add(f'truth/go{release}/{experiment}', 'long', census_is_truth, release, 'normal',
            experiment, kind)
    for release in ('1.23.12', '1.24.13', builds.NEWEST):
        add(f'truth/go{release}/300,000 decoys', 'long', many_decoys, release)
    for release in ('1.19.4', '1.23.12', '1.24.13', builds.NEWEST):
        add(f'truth/go{release}/big maps first', 'long', orders_and_seeds, release, 'big', 7)
        add(f'truth/go{release}/small maps first', 'long', orders_and_seeds, release, 'small', 8)
    for release in ('1.19.4', builds.NEWEST):
        add(f'truth/go{release}/1,000,000 maps', 'long', million_maps, release)


register()
