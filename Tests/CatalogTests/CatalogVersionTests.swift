import Catalog
import Testing

@Suite struct CatalogVersionTests {
    @Test func isReadAsItIsWritten() {
        let version = CatalogVersion(incarnation: 3, offset: 12)
        #expect(CatalogVersion(version.description) == version)
    }

    @Test(arguments: [
        "", "-", "1", "1-", "-1", "1--2", "-1-2", "1-2-3", "+1-2", "1-99999999999999999999", "a-b", "1-2 ",
    ])
    func refusesWhatIsNone(text: String) {
        #expect(CatalogVersion(text) == nil)
    }

    @Test func incarnationCountsFirst() {
        #expect(CatalogVersion(incarnation: 1, offset: 900) < CatalogVersion(incarnation: 2, offset: 0))
        #expect(CatalogVersion(incarnation: 2, offset: 0) < CatalogVersion(incarnation: 2, offset: 1))
    }
}
