"""What legal bases are called in French, and where each is from; ``permits/legal_bases.csv`` has them."""

from __future__ import annotations

FRENCH_LEGAL = {
    "Data permit under the European Health Data Space": (
        "Autorisation de traitement de données au titre de l'espace européen des données de santé (EEDS)"
    ),
    "Regulation (EU) 2025/327, Art. 68(12): at most ten years, extended once by at most ten years": (
        "règlement (UE) 2025/327, art. 68(12) : dix ans au plus, prolongés une fois de dix ans au plus"
    ),
    "EMC2 warehouse authorised for three years": "Entrepôt EMC2, autorisé pour trois ans",
    "CNIL, délibération 2023-146: authorised for three years; a longer use needs a new authorisation": (
        "CNIL, délibération 2023-146 : autorisé pour trois ans ; un usage plus long demande une nouvelle autorisation"
    ),
    "Study on the SNDS under the reference methodology MR-007": (
        "Étude sur le SNDS selon la méthodologie de référence MR-007"
    ),
    "CNIL, délibération 2023-082 (MR-007), 2.2.2.4: nine years and the current year; a report every three years; "
    "identifying details justified in the protocol": (
        "CNIL, délibération 2023-082 (MR-007), 2.2.2.4 : neuf ans et l'année en cours ; un rapport tous les trois ans "
        "; identifiants potentiels justifiés dans le protocole"
    ),
}
