"""The offline rules for therapeutic areas: written conditions of every area, and what other fields add or take."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dataset_project.trials.categorisers.condition_terms import (
    InvalidTerms,
    TermIndex,
    area_rules,
    compiled,
    folded,
    words,
)
from dataset_project.trials.categorisers.therapeutic_rules import extract
from dataset_project.trials.schemes.loading import load_scheme
from dataset_project.trials.trial import Trial

# Conditions as registrants write them, by the area of their ICD-10 code.
CONDITIONS = {
    "infectious": [
        "HIV-1-infection", "AIDS", "Hepatitis C, Chronic", "Chronic Hepatitis B Virus Infection",
        "Tuberculosis, Multidrug-Resistant", "Malaria, Vivax", "COVID-19 Pandemic", "Sepsis", "Septic shock",
        "Clostridioides difficile infection", "Candidiasis, Vulvovaginal", "Shingles", "Herpes Zoster",
        "Genital herpes simplex type 2", "Dengue fever", "Chagas disease", "Onychomycosis of toenail", "Tinea pedis",
        "Genital warts", "Scabies infestation", "Helicobacter pylori infection", "Cytomegalovirus infections",
        "Meningococcal Meningitis, Serogroup B", "Rotavirus gastroenteritis", "Neurosyphilis",
        "Uncomplicated gonorrhoea", "Post-herpetic neuralgia", "Soil-transmitted helminths", "Ebola virus disease",
        "Cutaneous leishmaniasis", "Measles; Mumps; Rubella", "Invasive aspergillosis", "Mpox", "Covid19",
        "Cryptococcal meningitis",
    ],
    "neoplasms": [
        "Non-small Cell Lung Cancer", "Carcinoma, Non-Small-Cell Lung", "Breast Neoplasms", "Acute Myeloid Leukaemia",
        "Leukemia, Lymphocytic, Chronic, B-Cell", "Diffuse large B-cell lymphoma", "Hodgkin's disease",
        "Multiple Myeloma", "Myelodysplastic Syndromes", "Metastatic melanoma", "Glioblastoma multiforme",
        "Uveal melanoma", "Hepatocellular carcinoma", "Renal cell carcinoma", "Advanced solid tumours",
        "Uterine fibroids", "Prolactinoma", "Polycythemia Vera", "Ductal carcinoma in situ", "Neuroblastoma",
        "Retinoblastoma", "Kaposi's sarcoma", "Gastrointestinal stromal tumor", "Infantile haemangioma",
        "Brain metastases", "Mesothelioma", "NSCLC", "Castration-resistant prostate cancer",
        "Waldenström's macroglobulinaemia", "Cutaneous T-cell lymphoma", "Barrett adenocarcinoma",
        "Cervical intraepithelial neoplasia", "Malignant pleural effusion", "Head and neck squamous cell carcinoma",
        "Thyroid cancer", "Lymphoma in HIV infection", "Bladder cancer", "Neuroendocrine tumors",
        "Familial adenomatous polyposis", "Systemic mastocytosis",
    ],
    "blood_immune": [
        "Iron-deficiency anaemia", "Anemia, Sickle Cell", "Beta-thalassaemia major", "Haemophilia A with inhibitors",
        "von Willebrand disease", "Immune thrombocytopenia", "Neutropenia", "Febrile neutropenia",
        "Chemotherapy-induced anemia", "Aplastic anemia", "Paroxysmal nocturnal haemoglobinuria",
        "Sarcoidosis, Pulmonary", "Common variable immunodeficiency", "Hereditary angioedema",
        "Chronic graft-versus-host disease", "Haemophagocytic lymphohistiocytosis", "Antiphospholipid syndrome",
        "Anemia of chronic kidney disease", "Factor XIII deficiency", "Heparin-induced thrombocytopenia",
        "Severe combined immunodeficiency",
    ],
    "endocrine_metabolic": [
        "Diabetes Mellitus, Type 2", "Type 1 diabetes", "Childhood obesity", "Hypercholesterolaemia",
        "Heterozygous familial hypercholesterolemia", "Hypothyroidism", "Graves' disease", "Cystic fibrosis",
        "Gaucher disease, type 1", "Phenylketonurias", "Acromegaly", "Cushing's syndrome",
        "Growth hormone deficiency", "Severe acute malnutrition", "Vitamin D deficiency", "Hyperkalaemia",
        "Hyponatremia", "Amyloidosis, familial", "Hereditary haemochromatosis", "Metabolic syndrome",
        "Polycystic ovary syndrome", "Hypogonadism, male", "Central precocious puberty", "X-linked hypophosphataemia",
        "Wilson's disease", "Mucopolysaccharidosis II", "Secondary hyperparathyroidism",
        "Pre-diabetes and insulin resistance", "Diabetic ketoacidosis",
    ],
    "mental": [
        "Depressive Disorder, Major", "Bipolar depression", "Schizophrenia and schizoaffective disorder",
        "Generalised anxiety disorder", "PTSD", "Attention Deficit Disorder With Hyperactivity",
        "Autism spectrum disorder", "Smoking cessation", "Tobacco use disorder", "Alcohol dependence",
        "Opioid-use disorder", "Cocaine-related disorders", "Anorexia nervosa", "Bulimia", "Binge-eating disorder",
        "Vascular dementia", "Delirium, postoperative", "Tourette's syndrome", "Obsessive-compulsive disorder",
        "Hypoactive sexual desire disorder", "Postpartum depression", "Borderline personality disorder", "Dementia",
    ],
    "nervous": [
        "Alzheimer's disease", "Parkinson disease", "Multiple sclerosis, relapsing-remitting",
        "Amyotrophic lateral sclerosis", "Epilepsies, partial", "Migraine disorders", "Cluster headache",
        "Restless legs syndrome", "Primary insomnia", "Obstructive sleep apnoea", "Narcolepsy",
        "Huntington's disease", "Myasthenia gravis", "Guillain-Barré syndrome", "Spinal muscular atrophy",
        "Duchenne muscular dystrophy", "Cerebral palsy", "Neuropathic pain", "Carpal tunnel syndrome",
        "Bacterial meningitis", "Trigeminal neuralgia", "Transient ischaemic attack", "Lewy body dementia",
        "Chemotherapy-induced peripheral neuropathy", "Chronic pain", "Complex regional pain syndrome",
        "Tardive dyskinesia", "Status epilepticus", "Hydrocephalus",
    ],
    "eye_ear": [
        "Age-related macular degeneration", "Glaucoma, open-angle", "Ocular hypertension", "Diabetic macular oedema",
        "Diabetic retinopathy", "Cataract", "Dry eye", "Uveitis, anterior", "Conjunctivitis, allergic",
        "Retinal vein occlusion", "Retinopathy of prematurity", "Myopia", "Amblyopia", "Blepharitis", "Keratoconus",
        "Otitis media, acute", "Sudden sensorineural hearing loss", "Tinnitus", "Ménière's disease",
        "Non-infectious uveitis", "Endophthalmitis", "Leber hereditary optic neuropathy",
    ],
    "circulatory": [
        "Hypertension", "Hypertension, Pulmonary", "Pulmonary arterial hypertension", "Atrial fibrillation",
        "Acute coronary syndrome", "Myocardial infarction", "Congestive heart failure", "Ischaemic stroke",
        "Subarachnoid haemorrhage", "Pulmonary embolism", "Deep vein thrombosis", "Peripheral arterial disease",
        "Intermittent claudication", "Varicose veins", "Oesophageal varices", "Cardiac arrest",
        "Raynaud's phenomenon", "Aortic valve stenosis", "Abdominal aortic aneurysm", "Orthostatic hypotension",
        "Lymphoedema", "Infective endocarditis", "Cardiomyopathy, dilated", "Stroke, acute",
        "Coronary artery disease", "Angina, stable",
    ],
    "respiratory": [
        "Asthma", "Exercise-induced asthma", "COPD", "Pulmonary Disease, Chronic Obstructive",
        "Idiopathic pulmonary fibrosis", "Community-acquired pneumonia", "Influenza, Human",
        "Seasonal allergic rhinitis", "Chronic sinusitis", "Nasal polyps", "Bronchiectasis",
        "Acute respiratory distress syndrome", "Common cold", "Bronchiolitis, viral", "Respiratory failure",
        "Pleural effusion", "Tonsillitis", "Ventilator-associated pneumonia", "Croup",
    ],
    "digestive": [
        "Crohn's disease", "Colitis, Ulcerative", "Irritable bowel syndrome with diarrhoea",
        "Gastro-oesophageal reflux disease", "Liver cirrhosis", "Non-alcoholic steatohepatitis",
        "Primary biliary cholangitis", "Hepatic encephalopathy", "Constipation, chronic",
        "Opioid-induced constipation", "Peptic ulcer haemorrhage", "Coeliac disease", "Acute pancreatitis",
        "Inguinal hernia", "Haemorrhoids", "Dental caries", "Chronic periodontitis", "Oral mucositis", "Gingivitis",
        "Dentin hypersensitivity", "Cholelithiasis", "Appendicitis", "Postoperative ileus", "Short bowel syndrome",
        "Eosinophilic esophagitis", "Xerostomia", "Gastroparesis", "Anal fissure", "Alcoholic hepatitis",
        "Autoimmune hepatitis",
    ],
    "skin": [
        "Plaque psoriasis", "Dermatitis, Atopic", "Acne vulgaris", "Rosacea", "Chronic idiopathic urticaria",
        "Alopecia areata", "Hyperhidrosis, axillary", "Vitiligo", "Actinic keratosis", "Hidradenitis suppurativa",
        "Pressure ulcer", "Diabetic foot ulcer", "Cellulitis", "Skin and soft tissue infections",
        "Glabellar frown lines", "Keloid scar", "Pemphigus vulgaris", "Radiation dermatitis", "Pruritus", "Melasma",
        "Seborrhoeic dermatitis",
    ],
    "musculoskeletal": [
        "Arthritis, Rheumatoid", "Psoriatic arthritis", "Osteoarthritis, Knee", "Gout flare",
        "Ankylosing spondylitis", "Systemic lupus erythematosus", "Lupus nephritis", "Postmenopausal osteoporosis",
        "Fibromyalgia", "Low back pain", "Systemic sclerosis", "Sjögren's syndrome", "Giant cell arteritis",
        "ANCA-associated vasculitis", "Juvenile idiopathic arthritis", "Osteomyelitis", "Rotator cuff tears",
        "Plantar fasciitis", "Dupuytren's contracture", "Sarcopenia", "Osteonecrosis of the jaw",
        "Adhesive capsulitis of shoulder", "Scoliosis", "Polymyalgia rheumatica", "Kawasaki disease",
        "Spinal stenosis",
    ],
    "genitourinary": [
        "Kidney failure, chronic", "Chronic kidney disease stage 5", "Acute kidney injury", "Diabetic nephropathy",
        "IgA nephropathy", "Nephrotic syndrome", "Urinary tract infections", "Overactive bladder",
        "Benign prostatic hyperplasia", "Erectile dysfunction", "Endometriosis", "Menopausal hot flushes",
        "Vaginal atrophy", "Bacterial vaginosis", "Infertility, female", "Heavy menstrual bleeding", "Dysmenorrhoea",
        "Interstitial cystitis", "Kidney stones", "Peyronie's disease", "Pelvic organ prolapse",
        "Premenstrual syndrome",
    ],
    "pregnancy_perinatal": [
        "Preterm birth", "Pre-eclampsia", "Gestational diabetes", "Postpartum haemorrhage", "Induction of labour",
        "Caesarean section complications", "Miscarriage", "Hyperemesis gravidarum", "Bronchopulmonary dysplasia",
        "Respiratory distress syndrome, newborn", "Necrotising enterocolitis", "Neonatal sepsis", "Neonatal jaundice",
        "Hypoxic-ischaemic encephalopathy", "Infant, very low birth weight", "Ectopic pregnancy", "Chorioamnionitis",
        "Intrahepatic cholestasis of pregnancy", "Apnoea of prematurity",
    ],
    "injury": [
        "Hip fracture", "Burns", "Traumatic brain injury", "Spinal cord injuries", "Kidney transplant rejection",
        "Opioid overdose", "Snake bites", "Peanut allergy", "Anaphylaxis", "Anterior cruciate ligament injury",
        "Surgical site infection", "Organophosphate poisoning", "Ankle sprain", "Motion sickness",
        "Radiation injuries", "Concussion", "Catheter-related bloodstream infection", "Prosthetic joint infection",
    ],
    "other": [
        "Contraception", "Postoperative nausea and vomiting", "Chemotherapy-induced nausea",
        "Bowel preparation for colonoscopy", "Anesthesia, general", "Fever", "Cachexia", "Cough", "Down syndrome",
        "Tetralogy of Fallot", "Cleft lip and palate", "Marfan syndrome",
        "Autosomal dominant polycystic kidney disease", "Acute pain", "Pain, Postoperative", "Fatigue",
        "Epidermolysis bullosa", "In vitro fertilisation", "Syncope", "Urinary incontinence", "Tuberous sclerosis",
    ],
}  # fmt: skip


SCHEME = load_scheme("therapeutic_area")


def trial(*conditions: str, **other) -> Trial:
    return Trial("NCT90009999", conditions=conditions, **other)


def area_of(read: Trial) -> str:
    """The category as the shipped scheme decides it from the rules' facts."""
    return SCHEME.decide(extract(read).facts).category


def healthy_only(read: Trial) -> bool:
    return extract(read).facts["healthy_volunteers_only"]


@pytest.mark.parametrize("area", CONDITIONS)
def test_a_condition_falls_in_its_area_and_is_trusted(area):
    read = {condition: extract(trial(condition)) for condition in CONDITIONS[area]}
    wrong = {name: found.notes for name, found in read.items() if SCHEME.decide(found.facts).category != area}
    assert wrong == {}
    assert [name for name, found in read.items() if found.confidence < 0.6 or found.conflict] == []


def test_every_area_of_the_scheme_has_rules_and_no_other():
    primary = next(fact for fact in SCHEME.facts if fact.name == "primary_area")
    assert set(area_rules().areas) == set(primary.values) == set(CONDITIONS)


@pytest.mark.parametrize(
    ("conditions", "area", "others"),
    [
        (("Type 2 Diabetes", "Hypertension"), "endocrine_metabolic", ["circulatory"]),
        (("Hypertension", "Type 2 Diabetes"), "circulatory", ["endocrine_metabolic"]),
        (("Breast Cancer", "Depression"), "neoplasms", ["mental"]),
        (("Diabetic Retinopathy",), "eye_ear", ["endocrine_metabolic"]),
        (("Chronic Hepatitis C",), "infectious", ["digestive"]),
        (("Influenza",), "respiratory", ["infectious"]),
        (("Quality of Life", "Hypothyroidism"), "endocrine_metabolic", []),
        (("Healthy Volunteers", "Renal Impairment", "Renal Failure"), "genitourinary", []),
        (("Stroke", "Stroke, Acute", "Aphasia"), "circulatory", ["nervous"]),
    ],
)
def test_of_several_areas_the_first_condition_decides_and_the_rest_are_named(conditions, area, others):
    found = extract(trial(*conditions)).facts
    assert (found["primary_area"], sorted(found["other_areas"])) == (area, sorted(others))


@pytest.mark.parametrize(
    ("condition", "area"),
    [
        ("Pruritus due to chronic kidney disease", "skin"),
        ("Anaemia in cancer patients", "blood_immune"),
        ("Depression after stroke", "mental"),
        ("Hyperkalaemia in heart failure", "endocrine_metabolic"),
        ("Nausea following chemotherapy for lymphoma", "other"),
        ("HIV-associated lipodystrophy", "endocrine_metabolic"),
        ("Asthma-related anxiety", "mental"),
        ("Cancer-related anaemia", "blood_immune"),
    ],
)
def test_what_is_only_the_setting_of_a_condition_yields_to_it(condition, area):
    assert extract(trial(condition)).facts["primary_area"] == area


def test_what_is_denied_does_not_count():
    assert "mental" in extract(trial("Kidney stones, smokers")).facts["other_areas"]
    assert extract(trial("Kidney stones, non-smokers")).facts["other_areas"] == []
    # A denial that is part of the name is none.
    assert extract(trial("Non-Hodgkin lymphoma")).facts["is_neoplasm"]


@pytest.mark.parametrize(
    ("backwards", "area"),
    [
        ("Hypertension, Pulmonary, Idiopathic", "circulatory"),
        ("Leukemia, Myeloid, Acute", "neoplasms"),
        ("Anemia, Iron-Deficiency", "blood_immune"),
        ("Sclerosis, Multiple", "nervous"),
        ("Apnea, Obstructive Sleep", "nervous"),
        ("Failure, Kidney, Chronic", "genitourinary"),
    ],
)
def test_names_may_stand_backwards(backwards, area):
    assert extract(trial(backwards)).facts["primary_area"] == area


@pytest.mark.parametrize(
    ("british", "american"),
    [
        ("Leukaemia", "Leukemia"),
        ("Oesophagitis", "Esophagitis"),
        ("Brain tumour", "Brain tumors"),
        ("Diarrhoea", "DIARRHEA"),
        ("Haemorrhoids", "hemorrhoid"),
        ("Crohn’s disease", "Crohn disease"),
        ("Ménière's", "Meniere"),
        ("Assisted fertilisation; in-vitro fertilisation", "Assisted fertilization; in vitro fertilization"),
        ("β-thalassaemia", "beta thalassemia"),
    ],
)
def test_spelling_makes_no_difference(british, american):
    first, second = extract(trial(british)), extract(trial(american))
    assert first.facts["primary_area"] == second.facts["primary_area"]
    assert first.confidence == second.confidence > 0.6


def test_mesh_terms_alone_decide():
    found = extract(trial(mesh_terms=("Pulmonary Disease, Chronic Obstructive",)))
    assert found.facts["primary_area"] == "respiratory"
    assert found.facts["primary_condition"] == "Pulmonary Disease, Chronic Obstructive"


@pytest.mark.parametrize(
    ("ancestors", "area"),
    [
        (("Heart Diseases", "Cardiovascular Diseases"), "circulatory"),
        (("Lung Diseases", "Respiratory Tract Diseases", "Neoplasms by Site", "Neoplasms"), "neoplasms"),
        (("Respiratory Tract Infections", "Infections", "Lung Diseases", "Respiratory Tract Diseases"), "respiratory"),
        (("Liver Diseases", "Hepatitis, Viral, Human", "Virus Diseases", "Digestive System Diseases"), "infectious"),
        (("Arthritis", "Joint Diseases", "Connective Tissue Diseases", "Autoimmune Diseases"), "musculoskeletal"),
        (("Skin Diseases, Papulosquamous", "Skin Diseases", "Skin and Connective Tissue Diseases"), "skin"),
        (("Retinal Diseases", "Diabetic Angiopathies", "Eye Diseases", "Vascular Diseases"), "eye_ear"),
        (("Metabolism, Inborn Errors", "Genetic Diseases, Inborn", "Brain Diseases, Metabolic"), "endocrine_metabolic"),
        (("Mood Disorders", "Mental Disorders"), "mental"),
        (("Heart Defects, Congenital", "Cardiovascular Abnormalities", "Heart Diseases"), "other"),
        (("Pregnancy Complications", "Female Urogenital Diseases and Pregnancy Complications"), "pregnancy_perinatal"),
        (("Bites and Stings", "Poisoning", "Chemically-Induced Disorders", "Wounds and Injuries"), "injury"),
    ],
)  # fmt: skip
def test_headings_above_an_unknown_condition_decide(ancestors, area):
    found = extract(trial("Qwertz syndrome", mesh_terms=("Qwertz",), mesh_ancestors=ancestors))
    assert found.facts["primary_area"] == area
    assert 0.1 < found.confidence < 0.9


@pytest.mark.parametrize(
    ("title", "area"),
    [
        ("AB-123 Versus Placebo in Adults With Moderate to Severe Plaque Psoriasis", "skin"),
        ("Phase II Trial of ZX-9 Plus Docetaxel in Metastatic Non-Small-Cell Lung Cancer", "neoplasms"),
        ("Does Early Physiotherapy Shorten Rehabilitation After Hip Fracture?", "injury"),
        ("Community Screening for Hypertension in Barber Shops", "circulatory"),
        ("Text Messages for Smoking Cessation (QUIT-TXT)", "mental"),
        ("Two Schedules of a Yellow Fever Vaccine in Toddlers", "infectious"),
        ("Ambroxol in Parkinson’s Disease", "nervous"),
        ("Misoprostol for Induction of Labour at Term", "pregnancy_perinatal"),
    ],
)
def test_a_title_alone_decides_and_is_trusted_less_than_a_condition(title, area):
    found = extract(trial(brief_title=title))
    assert found.facts["primary_area"] == area
    assert 0.4 <= found.confidence < 0.9
    assert "brief title" in found.notes
    # In the words of the title, not of the list.
    assert found.facts["primary_condition"] in " ".join(words(title))


def test_titles_add_to_what_conditions_say():
    condition = trial("Fatigue", "Multiple Sclerosis")
    title = "Cooling Garments for People With Multiple Sclerosis"
    assert extract(condition).facts["primary_area"] == "other"
    assert extract(replace(condition, brief_title=title)).facts["primary_area"] == "nervous"


def test_weak_fields_are_read_only_where_the_others_say_nothing():
    criteria = (
        "Inclusion Criteria:\n- Confirmed rheumatoid arthritis\n- not pregnant\n\nExclusion Criteria:\n- epilepsy"
    )
    alone = extract(trial(eligibility_criteria=criteria))
    assert alone.facts["primary_area"] == "musculoskeletal"
    assert alone.facts["other_areas"] == []
    assert alone.confidence <= 0.6
    named = extract(trial("Asthma", eligibility_criteria=criteria))
    assert named == extract(trial("Asthma"))


def test_exclusion_criteria_name_no_condition():
    assert extract(trial(eligibility_criteria="Inclusion: adults with no history of asthma")).confidence == 0.1
    only = "Exclusion Criteria:\n- asthma\n- epilepsy"
    assert extract(trial(eligibility_criteria=only)).facts["primary_area"] == "other"
    assert extract(trial(eligibility_criteria=f"Ages 18+\n{only}")).facts["primary_area"] == "other"
    swapped = f"{only}\nInclusion Criteria:\n- diagnosis of gout"
    assert extract(trial(eligibility_criteria=swapped)).facts["primary_area"] == "musculoskeletal"


def test_what_every_study_asks_for_is_no_condition():
    criteria = "Inclusion Criteria:\n- not pregnant or breast-feeding\n- negative for HIV and hepatitis B\n- non-smoker"
    assert extract(trial(eligibility_criteria=criteria)).confidence == 0.1


@pytest.mark.parametrize(
    ("drugs", "area"),
    [
        (("Sitagliptin", "Placebo"), "endocrine_metabolic"),
        (("Oxaliplatin", "5-fluorouracil"), "neoplasms"),
        (("Dolutegravir",), "infectious"),
        (("Rivaroxaban 20 mg",), "circulatory"),
        (("Escitalopram",), "mental"),
        (("Tiotropium",), "respiratory"),
        (("Latanoprost",), "eye_ear"),
        (("Esomeprazole",), "digestive"),
    ],
)
def test_drugs_speak_where_nothing_else_does(drugs, area):
    interventions = tuple(("DRUG", drug) for drug in drugs)
    found = extract(trial("Unmet need", interventions=interventions))
    assert found.facts["primary_area"] == area
    assert found.confidence <= 0.6
    assert extract(trial("Alopecia", interventions=interventions)).facts["primary_area"] == "skin"


def test_a_summary_alone_decides():
    text = "This study follows people with bronchiectasis for one year and counts their exacerbations."
    assert extract(trial(brief_summary=text)).facts["primary_area"] == "respiratory"


@pytest.mark.parametrize(
    "read", [trial(), trial("Qwertz"), trial("Qwertz", brief_title="A study of AB-123", why_stopped="asthma")]
)
def test_where_nothing_is_recognised_the_area_is_other_and_the_note_says_so(read):
    found = extract(read)
    assert area_of(read) == "other"
    assert found.confidence == 0.1
    assert not found.conflict
    assert "no known term" in found.notes
    assert found.facts["primary_condition"] == (read.conditions[0] if read.conditions else "")


@pytest.mark.parametrize(
    "read",
    [
        trial("Healthy"),
        trial("Healthy Volunteers"),
        trial("Healthy", brief_title="First-in-Human Study of AB-123, in Development for Asthma"),
        trial(brief_title="Pharmacokinetics of AB-123 in Healthy Participants"),
        trial("Hypertension", brief_title="Bioequivalence of Two Valsartan Tablets in Healthy Volunteers"),
        trial(eligibility_criteria="Inclusion Criteria:\n- Healthy male volunteers\n- no history of asthma"),
    ],
)  # fmt: skip
def test_healthy_volunteers_and_no_disease(read):
    found = extract(read)
    assert found.facts["healthy_volunteers_only"]
    assert found.facts["primary_condition"] == "healthy volunteers"
    assert area_of(read) == "other"


@pytest.mark.parametrize(
    ("read", "area"),
    [
        (trial("Hepatitis B", brief_title="Hepatitis B Vaccine in Healthy Adults"), "infectious"),
        (
            trial("Influenza", "Healthy Volunteers", brief_title="Influenza Vaccine in Healthy Volunteers"),
            "respiratory",
        ),
        (trial("Asthma", brief_title="AB-123 in Healthy Volunteers and Patients With Asthma"), "respiratory"),
        (trial("Asthma", eligibility_criteria="Inclusion Criteria: healthy subjects apart from asthma"), "respiratory"),
        (trial("Obesity", "Healthy Diet", brief_title="Healthy Eating at School"), "endocrine_metabolic"),
    ],
)
def test_healthy_people_in_a_study_of_a_disease(read, area):
    assert not healthy_only(read)
    assert area_of(read) == area


def test_areas_that_are_close_are_a_conflict_and_cost_confidence():
    clear = extract(trial("Smoking Cessation", brief_title="Varenicline for Smoking Cessation"))
    torn = extract(trial("HIV Infections", "Smoking Cessation", brief_title="Varenicline for Smokers in an HIV Clinic"))
    assert not clear.conflict
    assert torn.conflict
    assert torn.confidence < clear.confidence - 0.05
    assert "close" in torn.notes


def test_facts_fit_the_scheme_and_contradict_none_of_its_rules():
    for conditions in CONDITIONS.values():
        for first, second in zip(conditions, [*conditions[1:], "Healthy"], strict=True):
            found = extract(trial(first, second, brief_title=f"A study of {second} in healthy volunteers"))
            assert SCHEME.problems(found.facts) == []
            assert SCHEME.inconsistencies(found.facts) == []
            assert found.facts["confidence"] == round(100 * found.confidence)
            assert found.facts["notes"] == found.notes
            assert found.facts["primary_area"] not in found.facts["other_areas"]


def test_reading_the_same_trial_again_gives_the_same():
    many = [condition for conditions in CONDITIONS.values() for condition in conditions]
    read = trial(*many[::17], brief_title=" and ".join(many[::29]), keywords=tuple(many[::31]))
    first = extract(read)
    for condition in many:
        extract(trial(condition))
    assert extract(read) == first


def test_no_shipped_term_is_hidden_by_another():
    terms = area_rules().terms
    hidden = []
    for term in terms.listed:
        if "*" not in term:
            found = terms.find(words(term))
            if [(match.start, match.end, match.term) for match in found] != [(0, len(words(term)), term)]:
                hidden.append((term, [match.term for match in found]))
    assert hidden == []
    assert len(terms.listed) > 3000


def index(*terms: str) -> TermIndex[str]:
    return TermIndex({term: term.upper() for term in terms})


def found_in(text: str, *terms: str) -> list[str]:
    return [match.value for match in index(*terms).find(words(text))]


def test_of_overlapping_terms_the_longest_counts():
    assert found_in("chronic kidney disease", "kidney", "kidney disease") == ["KIDNEY DISEASE"]
    # A longer term that does not complete gives nothing away.
    assert found_in("kidney disease acute", "kidney", "kidney disease chronic", "disease acute") == [
        "KIDNEY",
        "DISEASE ACUTE",
    ]
    assert found_in("asthma asthma", "asthma") == ["ASTHMA", "ASTHMA"]


def test_a_star_stands_for_any_letters_of_one_word():
    assert found_in("Carcinomatosis of the skin", "carcinom*") == ["CARCINOM*"]
    assert found_in("adenocarcinomas", "*carcinoma") == ["*CARCINOMA"]
    assert found_in("non-hodgkins lymphoma", "non hodgkin*") == ["NON HODGKIN*"]
    assert found_in("a carcino", "carcinom*", "*carcinoma") == []


def test_the_exact_word_is_preferred_to_a_stem_and_a_long_stem_to_a_short_one():
    assert found_in("hypertension", "hyper*", "hypertension") == ["HYPERTENSION"]
    assert found_in("hypertensive", "hyper*", "hypertens*") == ["HYPERTENS*"]


def test_words_are_whole():
    assert found_in("asthmatics toothache", "tooth", "asthma") == []


def test_plurals_fold_and_names_that_end_in_s_survive():
    assert [folded(word) for word in ("biopsies", "abscesses", "viruses", "tumours", "sclerosis")] == [
        "biopsy", "abscess", "virus", "tumor", "sclerosis",
    ]  # fmt: skip
    assert folded("aids") != folded("aid")


SETTINGS = {
    "levels": {"disease": 1.0, "shared": 0.6, "hint": 0.25},
    **{name: {} for name in ("interventions", "mesh_headings", "fields", "confidence")},
    **dict.fromkeys(("falling", "healthy_volunteers", "boilerplate", "joiners", "suffixes", "denials"), ()),
    **dict.fromkeys(("weak_below", "conflict_from", "also_from", "setting", "later"), 1.0),
    **dict.fromkeys(("beside_tumour", "near_heading"), 1.0),
}


@pytest.mark.parametrize(
    ("terms", "settings", "says"),
    [
        ({"skin": {"disease": ["acne", "Acne"]}}, {}, "skin: 'Acne' and 'acne' read the same"),
        ({"skin": {"disease": ["burn"], "hint": ["burns"]}}, {}, "skin: 'burns' and 'burn' read the same"),
        ({"skin": {"disease": ["acne"]}, "mental": {"disease": ["acne"]}}, {}, "'acne' is a disease of skin and men"),
        ({"skin": {"illness": ["acne"]}}, {}, "skin: 'illness' is none of disease, shared, hint"),
        ({"skin": {"disease": [False]}}, {}, "skin, disease: False is no text; quote it"),
        ({"skin": {"disease": ["..."]}}, {}, "skin, disease: '...' has no word"),
        ({"skin": {"disease": ["ac*"]}}, {}, "needs at least 3 letters"),
        ({"skin": {"disease": ["ac*ne"]}}, {}, "before or after the letters of one word"),
        ({"skin": {"disease": ["acne"]}}, {"interventions": {"eyes": ["x"]}}, "interventions: eyes: no such area"),
        ({"skin": {"disease": ["acne"]}}, {"boilerplate": ["acme"]}, "boilerplate: 'acme' is none of the terms"),
        ({"skin": {"disease": ["acne"]}}, {"mesh_headings": {"xerosis": {"eyes": 1}}}, "xerosis: eyes: no such area"),
    ],
)  # fmt: skip
def test_rules_that_make_no_sense_are_refused_by_name(terms, settings, says):
    with pytest.raises(InvalidTerms, match=".*".join(says.split("*"))):
        compiled({**SETTINGS, **settings}, terms)


def test_a_shared_term_keeps_the_disease_within_it():
    rules = compiled(SETTINGS, {"neoplasms": {"disease": ["melanom*"]}, "eye_ear": {"shared": ["uveal melanoma"]}})
    (match,) = rules.terms.find(words("Uveal melanoma"))
    assert dict(match.value) == {"neoplasms": 1.0, "eye_ear": 0.6}
