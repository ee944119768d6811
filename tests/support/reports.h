// reports.h - fixed reports for the renderers' tests.
//
// Their arrays are static: they must not be given to a report's deinit.
#pragma once

#include "report/census.h"
#include "report/diagnosis.h"
#include "report/diff.h"
#include "report/doctor.h"
#include "report/run.h"

struct ms_census_report ms_census_example_classic(void);
struct ms_census_report ms_census_example_swiss(void);
struct ms_census_report ms_census_example_fleet(void);
struct ms_census_report ms_census_example_unknown(void);
struct ms_census_report ms_census_example_empty(void);
struct ms_census_report ms_census_example_hostile(void);
struct ms_census_report ms_census_example_partial(void);

struct ms_census_report ms_heap_example_others(void);
struct ms_census_report ms_heap_example_hostile(void);

struct ms_diagnosis_report ms_diagnosis_example_growing(void);
struct ms_diagnosis_report ms_diagnosis_example_kinds(void);
struct ms_diagnosis_report ms_diagnosis_example_swiss(void);
struct ms_diagnosis_report ms_diagnosis_example_quiet(void);
struct ms_diagnosis_report ms_diagnosis_example_partial(void);
struct ms_diagnosis_report ms_diagnosis_example_hostile(void);

struct ms_doctor_report ms_doctor_example_good(void);
struct ms_doctor_report ms_doctor_example_c(void);
struct ms_doctor_report ms_doctor_example_refused(void);

struct ms_diff_report ms_diff_example(void);
struct ms_run_report ms_run_example(void);         // With a budget.
struct ms_run_report ms_run_example_nothing(void); // No Go program was seen.
