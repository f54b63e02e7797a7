CITY = "Paris"
