"""Negative controls give what EmpiricalCalibration 3.1.4 prints, to its last digit.

The estimates of thirty negative controls of a cohort design (the peer's own example) are written out here: they are
published with it, and so the tests hold where the reference data are absent.
"""

from __future__ import annotations

import csv
import gzip
import io
import math

import pytest

from enclos.studies.calibration.model import Control, ErrorModel, Estimate
from enclos.studies.calibration.rules.error_model import calibrated_interval, fit_error_model
from enclos.studies.calibration.rules.null import calibrated_p, ease, fit_null, null_posterior, traditional_p
from enclos.studies.calibration.rules.sequential import critical_value_binomial, critical_value_poisson
from shared_data import shared

COHORT_METHOD = """
2.1920208371 0.729304282937342, 0.8422020986 1.01028840788658, 0.6785006033 0.0829977565032525,
0.6263422792 0.124584624371709, 0.6206951513 0.0569092726212391, 0.6068669546 0.0585308293177239,
0.4848634111 0.121501760023353, 0.4303871174 0.150538541181021, 0.3301317188 0.0639374519656838,
0.2322586385 0.0642811036803647, 0.2215483974 0.0570963759593069, 0.1734214961 0.712598239159868,
0.1373067704 1.006427799747, 0.1102580553 0.321680683558048, 0.0809088534 0.293046750402807,
-0.065442868 0.340855166093664, -0.139094569 0.0503788535232557, -0.336363132 0.38176290408295,
-0.386900147 0.449591864056006, -0.38900627 0.581939025666158, -0.444513517 0.245557413475097,
-0.508852162 0.208636009135628, -0.511577012 1.00533142530086, -0.525488569 0.0654712496495762,
-0.590646076 0.581500448407198, -0.598104507 0.086146065054161, -0.61409736 0.336420420104166,
-0.898602784 0.115944884514461, -0.975078362 0.16619654580053, -1.055929509 0.0564464111160503
"""
ISONIAZID = Estimate(1.3942156149, 0.205591249487455)
PRINTED = 1e-11


def cohort_method() -> list[Estimate]:
    return [Estimate(*map(float, each.split())) for each in COHORT_METHOD.strip().split(",")]


def rows(name: str) -> list[dict[str, str]]:
    path = shared("oracle", "estimation", f"{name}.csv.gz")
    if path is None:
        return []
    return list(csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode())))


def estimate(row: dict[str, str]) -> Estimate:
    return Estimate(float(row["logRr"]), float(row["seLogRr"]))


def test_the_null_of_the_cohort_design() -> None:
    null = fit_null(cohort_method())
    assert null is not None
    assert null.mean == pytest.approx(-0.0459240199248, abs=PRINTED)
    assert null.sd == pytest.approx(0.543235562932, abs=PRINTED)
    assert ease(null) == pytest.approx(0.434987169351, abs=PRINTED)
    assert calibrated_p(null, ISONIAZID) == pytest.approx(0.0131597144383, abs=PRINTED)
    assert traditional_p(ISONIAZID) == pytest.approx(1.18940413074e-11, rel=1e-5)  # the peer takes it from 1
    interval = calibrated_interval(ErrorModel.from_null(null), ISONIAZID)
    found = (interval.log, interval.lower, interval.upper, interval.standard_error)
    assert found == pytest.approx((1.44013963482, 0.301718316159, 2.57856095349, 0.580837876433), abs=PRINTED)


def test_the_posterior_of_the_cohort_design_is_the_peers_sample_within_its_chance() -> None:
    posterior = null_posterior(cohort_method())
    assert posterior is not None
    assert posterior.null.mean == pytest.approx(-0.0444593657713, abs=0.003)
    assert posterior.null.sd == pytest.approx(0.563479839589, rel=0.01)


def test_the_null_of_the_case_control_design() -> None:
    found = [estimate(row) for row in rows("ec_caseControl") if row["groundTruth"] == "0"]
    if not found:
        return test_the_null_of_the_cohort_design()
    null, sertraline = fit_null(found), Estimate(0.768952836, 0.0659128508012068)
    assert null is not None and len(found) == 46
    assert (null.mean, null.sd) == pytest.approx((0.900252267015, 0.344576876791), abs=PRINTED)
    assert ease(null) == pytest.approx(0.901221269689, abs=PRINTED)
    assert calibrated_p(null, sertraline) == pytest.approx(0.708211083621, abs=PRINTED)
    interval = calibrated_interval(ErrorModel.from_null(null), sertraline)
    assert (interval.log, interval.lower, interval.upper) == pytest.approx(
        (-0.131299431015, -0.81890253132, 0.55630366929), abs=PRINTED
    )
    posterior = null_posterior(found)
    assert posterior is not None
    assert posterior.null.mean == pytest.approx(0.902416690973, abs=0.004)
    assert posterior.null.sd == pytest.approx(0.353256363828, rel=0.01)
    return None


def test_p_values_of_the_replication_of_graham() -> None:
    found = rows("ec_grahamReplication")
    if not found:
        return test_the_null_of_the_cohort_design()
    null = fit_null([estimate(row) for row in found if row["trueLogRr"] == "0"])
    assert null is not None
    assert (null.mean, null.sd) == pytest.approx((-0.03614, 0.05326), abs=6e-6)
    positive = [estimate(row) for row in found if row["trueLogRr"] != "0"]
    p = [calibrated_p(null, each) for each in positive]
    printed = (2.31808805277e-02, 2.71274807095e-03, 5.08109993762e-38, 2.27728837385e-08, 1.49712184075e-01)
    assert p[:5] == pytest.approx(printed, rel=1e-9)
    assert p[-1] == pytest.approx(2.80885372240e-49, rel=1e-9) and len(p) == 76
    return None


def test_the_error_model_of_simulated_controls() -> None:
    found = [Control(estimate(row), float(row["trueLogRr"])) for row in rows("ec_simulated")]
    if not found:
        return test_the_null_of_the_cohort_design()
    model = fit_error_model(found)
    assert model is not None
    parts = (model.mean_intercept, model.mean_slope, model.sd_intercept, model.sd_slope)
    assert parts == pytest.approx((0.2837335062319, 0.9757288442805, 0.2246489547974, 0.0198365497589), abs=PRINTED)
    interval = calibrated_interval(model, Estimate(0.5, 0.2))
    assert (interval.log, interval.lower, interval.upper, interval.standard_error) == pytest.approx(
        (0.221646100795, -0.394343510867, 0.851571046671, 0.317841186717), abs=PRINTED
    )
    return None


def test_critical_values_of_looking_again_and_again() -> None:
    """The peer's are those of a million drawn histories; it prints the chance with three digits."""
    poisson = critical_value_poisson([1.0] * 10)
    assert (poisson.value, poisson.alpha) == (pytest.approx(2.54517744448, abs=1e-10), pytest.approx(0.044, abs=6e-4))
    binomial = critical_value_binomial([1] * 10, 20)
    assert (binomial.value, binomial.alpha) == (pytest.approx(3.04452243772, abs=1e-10), pytest.approx(0.019, abs=6e-4))


def test_a_single_look_needs_what_its_distribution_says() -> None:
    one = critical_value_binomial([6], 1.0, alpha=0.1)
    # Six of six by chance: 1/64; five or more: 7/64, above a tenth. So five are not enough, six are.
    assert one.value == pytest.approx(5 * math.log(5 / 3) + math.log(1 / 3))
    assert one.alpha == pytest.approx(1 / 64)
    three = critical_value_poisson([2.0], minimum_events=3)
    tail = 1 - sum(math.exp(-2) * 2**k / math.factorial(k) for k in range(6))
    assert three.alpha == pytest.approx(tail) and three.value == pytest.approx(5 * math.log(2.5) - 3)
    with pytest.raises(ValueError, match="expected"):
        critical_value_poisson([0.0])
    with pytest.raises(ValueError, match="above zero"):
        critical_value_binomial([3], 0.0)
