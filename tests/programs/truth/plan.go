package main

import "sort"

// sizeOf draws a size: most maps of real programs are tiny, a few are large.
func sizeOf(rng *random) int {
	switch n := rng.below(1000); {
	case n < 550:
		return rng.between(1, 8)
	case n < 950:
		return rng.between(9, 100)
	case n < 998:
		return rng.between(101, 1000)
	}
	return rng.between(1001, 9000)
}

func fateOf(rng *random) int {
	switch n := rng.below(100); {
	case n < 8:
		return fateNever
	case n < 12:
		return fateHinted
	case n < 16:
		return fateEmptied
	case n < 20:
		return fateCleared
	case n < 26:
		return fateHalved
	}
	return fateWritten
}

// planMaps spreads the maps over all shapes; the first few are of 100,000 entries and more.
func planMaps(o options, rng *random) []mapPlan {
	plan := make([]mapPlan, o.maps)
	for i := range plan {
		p := mapPlan{shape: i % len(shapes), fate: fateOf(rng), size: sizeOf(rng)}
		if i < o.maps/10000 && i < 4 {
			p.shape, p.fate, p.size = i, fateWritten, rng.between(100000, 140000)
		}
		if max := shapes[p.shape].max; p.size > max {
			p.size = 1 + p.size%max
		}
		if p.size > o.largest {
			p.size = o.largest
		}
		plan[i] = p
	}
	switch o.order {
	case "big":
		sort.SliceStable(plan, func(i, j int) bool { return plan[i].size > plan[j].size })
	case "small":
		sort.SliceStable(plan, func(i, j int) bool { return plan[i].size < plan[j].size })
	}
	return plan
}
