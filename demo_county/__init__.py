"""A made-up county (示范县): its people, their hidden money, and the files departments send about them."""
