"""Facts of the scheme `kras_g12d_crc` read by rules: no model, no network, the same facts for the same text.

Genes are read by `kras_mutations`, tumours by `kras_tumours`; here they become the scheme's facts, with an honest word
on how far they can be trusted.
"""

from __future__ import annotations

from dataset_project.trials.categorisers.kras_mutations import requirement, signals
from dataset_project.trials.categorisers.kras_statements import (
    Statement,
    of_conditions,
    of_criteria,
    of_titles,
    uniform,
)
from dataset_project.trials.categorisers.kras_tumours import tumours
from dataset_project.trials.categorisers.rule_facts import RuleFacts
from dataset_project.trials.trial import Trial


def extract(trial: Trial) -> RuleFacts:
    """The facts of a trial. They always fit the scheme and contradict none of its consistency rules.

    Confidence is lower without criteria or without their headings, where only titles or conditions decide, and where
    signals disagree; these last are a ``conflict`` too.
    """
    criteria, titles, conditions = of_criteria(trial), of_titles(trial), of_conditions(trial)
    keywords = [Statement("inclusion", uniform(word), "keywords") for word in trial.keywords]
    genes = requirement(signals(criteria), signals([*titles, *conditions, *keywords]))
    found = tumours(criteria, titles, conditions)
    conflict = genes.conflict or found.conflict
    facts = {
        "evidence": "; ".join((*genes.evidence, *((found.note,) if found.note else ()))),
        "colorectal_adenocarcinoma_accepted": found.accepted,
        "kras_in_eligibility": genes.mentioned,
        "mutation_requirement": genes.value,
        "cancer_scope": found.scope,
    }
    confidence = 0.9
    if found.accepted and criteria and not any(each.side for each in criteria):
        # Prose without headings: what is taken in and what is shut out must be guessed from the words.
        confidence -= 0.12
    if not trial.eligibility_criteria:
        confidence -= 0.3
    if not found.certain:
        confidence -= 0.15
    # Where the tumour is not accepted, genes change nothing.
    if found.accepted and not genes.certain:
        confidence -= 0.15
    if conflict and (found.conflict or found.accepted):
        confidence = min(confidence - 0.3, 0.5)
    notes = "signals disagree" if conflict else ""
    return RuleFacts(facts, round(max(confidence, 0.05), 2), conflict, notes)
