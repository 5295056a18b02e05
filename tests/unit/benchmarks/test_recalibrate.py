"""Which decoder of a model a new calibration goes to."""

from dataclasses import replace

from recalibrate import recalibrated

from phytoscribe.decoding.settings import Decoders, DecoderSettings

FITTED = DecoderSettings(calibration_slope=0.5)


def test_a_calibration_goes_to_the_decoder_that_the_lineage_has():
    poales, fabales = DecoderSettings(gene_score=1.0), DecoderSettings(gene_score=2.0)
    decoders = Decoders(DecoderSettings(), {"Poales": poales, "Fabales": fabales})
    found = recalibrated(decoders, "Poales", "osativa", FITTED)
    assert found == Decoders(DecoderSettings(), {"Poales": FITTED, "Fabales": fabales})
    with_species = replace(decoders, species={"osativa": fabales})
    assert recalibrated(with_species, "Poales", "osativa", FITTED) == replace(decoders, species={"osativa": FITTED})
    assert recalibrated(decoders, "Solanales", "", FITTED) == replace(decoders, fallback=FITTED)
